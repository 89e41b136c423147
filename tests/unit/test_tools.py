"""The pins of the tools that are built."""

import re

from local.gcp.versions import VERSION
from tools.modules import KUBERNETES, PULUMI, PULUMI_KUBERNETES, TOOLS


def versions(module: str) -> dict[str, str]:
    """The version of every module that the build of one may use."""
    text = (TOOLS / module / "go.mod").read_text()
    return dict(re.findall(r"^(?:require|\t)\s*(\S+\.\S+/\S+) (v\S+)", text, re.MULTILINE))


def test_the_stand_in_serves_the_version_that_is_built() -> None:
    assert f"v{VERSION}" == KUBERNETES


def test_what_is_stamped_is_what_is_pinned() -> None:
    assert versions("kubernetes")["k8s.io/kubernetes"] == KUBERNETES
    assert versions("pulumi")["github.com/pulumi/pulumi/pkg/v3"] == PULUMI


def test_the_readme_says_how_to_have_the_plugin_at_once() -> None:
    command = f"`pulumi plugin install resource kubernetes v{PULUMI_KUBERNETES}`"
    assert command in (TOOLS.parent / "README.md").read_text()
