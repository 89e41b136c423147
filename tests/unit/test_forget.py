"""What is forgotten, and what is left behind."""

from typing import Any

import pytest

from geofed.forget import check_forgettable, left_behind
from geofed.mistake import Mistake


def registration(name: str, *conditions: tuple[str, str]) -> dict[str, Any]:
    told = [{"type": kind, "status": status} for kind, status in conditions]
    return {"metadata": {"name": name}, "status": {"conditions": told}}


FOUND = [
    registration("well", ("Ready", "True")),
    registration("dead", ("Ready", "False")),
    registration("silent", ("Offline", "True")),
    {"metadata": {"name": "new"}},
]


@pytest.mark.parametrize("member", ["dead", "silent", "new"])
def test_what_is_not_ready_can_be_forgotten(member: str) -> None:
    check_forgettable(member, FOUND)


def test_what_answers_is_not_forgotten() -> None:
    with pytest.raises(Mistake, match=r"it is Ready; .* member: false"):
        check_forgettable("well", FOUND)


def test_a_name_that_is_no_members_is_a_mistake() -> None:
    with pytest.raises(Mistake, match="deda: not a member; write one of dead, new"):
        check_forgettable("deda", FOUND)


def test_what_is_in_the_member_is_left_behind() -> None:
    def federated(kind: str, name: str, *clusters: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "ai"}
        return {"kind": kind, "metadata": metadata, "status": {"clusters": [{"name": each} for each in clusters]}}

    found = [
        federated("FederatedNamespace", "ai", "dead", "well"),
        federated("FederatedDeployment", "inference", "dead"),
        federated("FederatedJob", "finetune", "well"),
        federated("FederatedJobSet", "training", "dead"),
        {
            "kind": "FederatedClusterRole",
            "metadata": {"name": "reader"},
            "status": {"clusters": [{"name": "dead"}]},
        },
        {"kind": "FederatedService", "metadata": {"name": "inference", "namespace": "ai"}},
    ]
    assert list(left_behind("dead", found)) == [
        "Namespace ai",
        "Deployment ai/inference",
        "JobSet ai/training",
        "ClusterRole reader",
    ]
