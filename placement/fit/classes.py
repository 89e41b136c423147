"""Compute classes that pods select, and those that a member has.

It does not say whether the pods fit on their nodes; judge.py does, by the label and the taint that these have.
"""

from collections.abc import Iterable

from clusters.classes.spec import LABEL, OF_GKE
from placement.fit.selectors import Requirement

COMPUTE_CLASS = LABEL
# Labels that a class decides, or that GKE does not combine with one. Source: GKE's "About custom ComputeClasses", read
# in November 2026.
_DECIDED = frozenset(
    f"cloud.google.com/{name}"
    for name in (
        "gke-accelerator",
        "gke-boot-disk",
        "gke-boot-disk-size",
        "gke-ephemeral-storage-local-ssd",
        "gke-gpu-driver-version",
        "gke-spot",
        "machine-family",
        "machine-type",
        "reservation-affinity",
        "reservation-name",
        "reservation-project",
    )
) | {"node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"}


def classes_of(requirement: Requirement) -> tuple[str, ...]:
    """The classes that a requirement allows, where it selects some by name."""
    return requirement.values if requirement.key == COMPUTE_CLASS and requirement.operator == "In" else ()


def may_be_of_gke(requirement: Requirement) -> bool:
    """Whether a requirement selects a class that GKE itself may define."""
    return any(each.startswith(OF_GKE) for each in classes_of(requirement))


def selected(terms: Iterable[tuple[Requirement, ...]]) -> frozenset[str]:
    """The classes of which a pod's node must have one; empty where it can have none."""
    chosen = [{name for each in term for name in classes_of(each)} for term in terms]
    return frozenset(name for each in chosen for name in each) if all(chosen) else frozenset()


def beside_class(terms: Iterable[tuple[Requirement, ...]]) -> list[str]:
    """The labels that a pod selects beside a class, although the class decides them."""
    found = [
        str(each)
        for term in terms
        if any(classes_of(one) for one in term)
        for each in term
        if each.key in _DECIDED and not each.met_by_absence
    ]
    return list(dict.fromkeys(found))
