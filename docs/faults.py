"""Counts, from the tests themselves, what is tried: `python -m docs.faults` writes faults.md."""

import inspect
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tests import hostile, readings
from tests.e2e import (
    test_broken_off,
    test_crds,
    test_faults,
    test_keep_data,
    test_leaving,
    test_privileges,
    test_secrets,
)
from tests.unit import (
    test_cluster_rules,
    test_compute_classes,
    test_existing_network,
    test_gpu_networks,
    test_gpu_pools,
    test_schemas,
    test_tpus,
)

PAGE = Path(__file__).with_name("faults.md")
_HEAD = """# Faults and bad inputs that are tested

Written by `python -m docs.faults` from the tests; a test fails where it is out of date. What an operator does on each
fault is in [operations.md](operations.md).
"""


def page() -> str:
    """The whole page."""
    read = len(readings.SCALARS) + len(readings.TEXTS) + len(readings.FILES)
    rows = [
        ("hostile manifests, each reported within 5 s and 500 MB", len(hostile.MANIFESTS), "hostile_input"),
        ("hostile settings, each reported within 5 s and 500 MB", len(hostile.SETTINGS), "hostile_input"),
        ("things that a member's account must not do, refused", len(test_privileges.FORBIDDEN), "privileges"),
        (
            "things that the controller's account must not do, refused",
            len(test_privileges.FORBIDDEN) + len(test_privileges.HOST_FORBIDDEN),
            "privileges",
        ),
        ("types that are federated with the members' real tokens", len(test_privileges.BODIES), "privileges"),
        ("pods with more privileges than the controller's, refused", len(test_privileges.LOOSER), "privileges"),
        ("objects of KubeFed changed in one place, judged as by KubeFed", len(test_crds.QUESTIONS), "crds"),
        ("objects of KubeFed changed at random, at least 500 of them refused", test_crds.FUZZED, "crds"),
        ("moments at which a run is killed", test_faults.MOMENTS, "faults"),
        ("changes by hand, in a member and on the host", sum(map(len, test_faults.BY_HAND.values())), "faults"),
        ("other tests of faults", _count(test_faults) - len(test_faults.BY_HAND) - 1, "faults"),
        ("tests of interrupted runs", _count(test_broken_off), "broken_off"),
        ("tests of members that leave, and of one that does not come back", _count(test_leaving), "leaving"),
        ("tests of secrets, from up to destroy", _count(test_secrets), "secrets"),
        ("tests that data stays, and pods are deleted with their owners", _count(test_keep_data), "keep_data"),
        ("texts and files, read as kubectl reads them", read, "kubectl"),
    ]
    table = "".join(f"| {what} | {count} | tests/e2e/test_{where}.py |\n" for what, count, where in rows)
    mistakes = [
        ("mistakes in objects, found by the API's schemas", test_schemas.BAD, "schemas"),
        (
            "mistakes in settings of clusters and pools, refused with what to write",
            test_cluster_rules.BAD,
            "cluster_rules",
        ),
        ("the same of TPUs", test_tpus.BAD, "tpus"),
        ("the same of GPUs", test_gpu_pools.BAD, "gpu_pools"),
        ("the same of networks between GPUs", test_gpu_networks.BAD, "gpu_networks"),
        ("the same of compute classes and auto-provisioning", test_compute_classes.MISTAKES, "compute_classes"),
        ("the same of networks that exist", test_existing_network.BAD, "existing_network"),
    ]
    table += "".join(f"| {what} | {len(cases)} | tests/unit/test_{where}.py |\n" for what, cases, where in mistakes)
    named: Mapping[str, Iterator[str]] = {
        "Faults": _names(test_faults),
        "Interrupted runs": _names(test_broken_off),
        "Members that leave": _names(test_leaving),
        "Data and pods": _names(test_keep_data),
        "Manifests": iter(hostile.MANIFESTS),
        "Settings": iter(hostile.SETTINGS),
        "What no account of KubeFed may do": iter(test_privileges.FORBIDDEN),
        "What the controller may not do either": iter(test_privileges.HOST_FORBIDDEN),
    }
    lists = "".join(f"\n## {title}\n\n" + "".join(f"- {each}\n" for each in names) for title, names in named.items())
    return f"{_HEAD}\n| what | how many | where |\n|---|---|---|\n{table}{lists}"


def _tests(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if name.startswith("test_"):
            yield name, function


def _count(module: ModuleType) -> int:
    """How many tests a module has, each case of a parametrized one counted."""
    return sum(
        math.prod(len(mark.args[1]) for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize")
        for _, function in _tests(module)
    )


def _names(module: ModuleType) -> Iterator[str]:
    """What the tests of a module are about, in words."""
    lines = {function.__code__.co_firstlineno: name for name, function in _tests(module)}
    return (lines[line].removeprefix("test_").replace("_", " ") for line in sorted(lines))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
