"""The pins of the tools that are built."""

import re

import pytest

from local.gcp.versions import VERSION
from tools.modules import (
    KUBERNETES,
    OTHER_KUBERNETES,
    PINNED_KUBERNETES,
    PULUMI,
    PULUMI_KUBERNETES,
    TOOLS,
    kubernetes,
    wrong_kubernetes,
)


def versions(module: str) -> dict[str, str]:
    """The version of every module that the build of one may use."""
    text = (TOOLS / module / "go.mod").read_text()
    return dict(re.findall(r"^(?:require|\t)\s*(\S+\.\S+/\S+) (v\S+)", text, re.MULTILINE))


def test_the_stand_in_serves_the_version_that_is_built() -> None:
    assert f"v{VERSION}" == KUBERNETES


def test_what_is_stamped_is_what_is_pinned() -> None:
    assert versions("pulumi")["github.com/pulumi/pulumi/pkg/v3"] == PULUMI


@pytest.mark.parametrize("version", [PINNED_KUBERNETES, *OTHER_KUBERNETES.values()])
def test_every_kubernetes_is_built_from_modules_of_its_own_release(version: str) -> None:
    module = kubernetes(version)
    assert versions(module.folder.name)["k8s.io/kubernetes"] == version
    replaced = re.findall(r"^\tk8s.io/\S+ => k8s.io/\S+ v0(\S+)$", (module.folder / "go.mod").read_text(), re.MULTILINE)
    assert {f"v1{each}" for each in replaced} == {version}
    major, minor = version.removeprefix("v").split(".")[:2]
    assert [stamp.partition("=")[2] for stamp in module.stamps] == [version, major, minor]


@pytest.mark.parametrize("chosen", ["", "1.36", *OTHER_KUBERNETES])
def test_a_kubernetes_that_is_pinned_may_be_chosen(chosen: str) -> None:
    assert wrong_kubernetes(chosen) == ""
    assert OTHER_KUBERNETES.get(chosen, PINNED_KUBERNETES).startswith(f"v{chosen}")


@pytest.mark.parametrize("chosen", ["1.34", "v1.35", "1.35.4", "new"])
def test_another_is_refused_with_those_that_are(chosen: str) -> None:
    wrong = f"KUBERNETES={chosen}: the local stack is built with 1.35, 1.36, 1.37; write one of these, or leave it out"
    assert wrong_kubernetes(chosen) == wrong


def test_the_readme_says_how_to_have_the_plugin_at_once() -> None:
    command = f"`pulumi plugin install resource kubernetes v{PULUMI_KUBERNETES}`"
    assert command in (TOOLS.parent / "README.md").read_text()
