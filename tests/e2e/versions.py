"""The Kubernetes of the local stacks that are tested: the pinned one, or the one that the variable KUBERNETES names."""

import re

import pytest

from federation.admission import has_policies
from tools.modules import KUBERNETES, PINNED_KUBERNETES

_MINOR = ".".join(KUBERNETES.removeprefix("v").split(".")[:2])
HAS_POLICIES = has_policies(_MINOR)
WITHOUT_POLICIES = f"Kubernetes {KUBERNETES} has no mutating admission policies"
needs_policies = pytest.mark.skipif(not HAS_POLICIES, reason=WITHOUT_POLICIES)


def settings_for(settings: str) -> str:
    """The text of a stack's file that asks for no newer Kubernetes than is built."""
    return settings if HAS_POLICIES else re.sub(r'(?m)^( +kubernetes: )"1\.36"$', rf'\1"{_MINOR}"', settings)


def shown_for(line: str) -> str:
    """A line that the docs show, as it is with this Kubernetes."""
    return line.replace(PINNED_KUBERNETES, KUBERNETES)
