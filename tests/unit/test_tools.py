"""The pins of the tools that are built."""

import re

from tools.modules import KUBERNETES, PULUMI, PULUMI_KUBERNETES, TOOLS


def versions(module: str) -> dict[str, str]:
    """The version of every module that the build of one may use."""
    text = (TOOLS / module / "go.mod").read_text()
    required = dict(re.findall(r"^(?:require|\t)\s*(\S+\.\S+/\S+) (v\S+)", text, re.MULTILINE))
    return required | dict(re.findall(r"^\t\S+ => (\S+) (v\S+)", text, re.MULTILINE))


def test_the_plugin_shares_the_packages_that_kubernetes_is_built_from() -> None:
    kubernetes, plugin = versions("kubernetes"), versions("pulumi-kubernetes")
    shared = kubernetes.keys() & plugin.keys()
    assert len(shared) > 100
    assert {name for name in shared if kubernetes[name] != plugin[name]} == set()


def test_what_is_stamped_is_what_is_pinned() -> None:
    assert versions("kubernetes")["k8s.io/kubernetes"] == KUBERNETES
    assert versions("pulumi")["github.com/pulumi/pulumi/pkg/v3"] == PULUMI


def test_the_readme_says_how_to_have_the_plugin_at_once() -> None:
    command = f"`pulumi plugin install resource kubernetes v{PULUMI_KUBERNETES}`"
    assert command in (TOOLS.parent / "README.md").read_text()
