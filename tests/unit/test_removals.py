"""What a run would remove from the clusters is reported, and data is deleted only where the settings allow it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest

from federation import keep_data
from federation.removals import Desired, Removal, own_objects, refusal, removals
from placement.api.kinds import BUILT_IN
from placement.copies import PlacedObject, PlacedWorkload
from placement.manifests.manifest import Manifest
from placement.workload import Workload

HOST = "training"
NAMESPACE = ("FederatedNamespace", "data", "data")
SET = ("FederatedStatefulSet", "data", "vecdb")
SERVICE = ("FederatedService", "data", "vecdb")
CLAIM = ("FederatedPersistentVolumeClaim", "data", "snapshots")


def live(kind: str, namespace: str, name: str, *clusters: str, **annotations: str) -> dict[str, Any]:
    own = {"pulumi.com/waitFor": "condition=Propagation", **annotations}
    return {
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "annotations": own},
        "spec": {"template": {}},
        "status": {"clusters": [{"name": cluster} for cluster in clusters]},
    }


def removed(desired: Mapping[Any, Any], *found: Mapping[str, Any], delete_data: Any = ()) -> list[Removal]:
    return removals(own_objects(found), Desired(desired, delete_data), HOST)


FOUND = (
    live(*NAMESPACE, "serving", HOST),
    live(*SET, "serving"),
    live(*SERVICE, "serving"),
    live(*CLAIM, "serving"),
)
SAME = {NAMESPACE: {"serving", HOST}, SET: {"serving"}, SERVICE: {"serving"}, CLAIM: {"serving"}}


CLASS = ("FederatedPriorityClass", "", "high")
VOLUME = ("FederatedPersistentVolume", "", "models")


def of_cluster(kind: str, _: str, name: str, *clusters: str) -> dict[str, Any]:
    found = live(kind, "", name, *clusters)
    del found["metadata"]["namespace"]
    return found


def test_what_is_cluster_scoped_is_removed_from_no_namespace() -> None:
    found = [of_cluster(*CLASS, "serving", "asia"), of_cluster(*VOLUME, "asia")]
    assert removed({CLASS: {"serving", "asia"}, VOLUME: {"asia"}}, *found) == []
    (removal,) = removed({CLASS: {"serving"}, VOLUME: {"asia"}}, *found)
    assert (str(removal), removal.kept) == ("asia: PriorityClass high is removed", False)
    (removal,) = removed({CLASS: {"serving", "asia"}}, *found)
    # A volume has data.
    assert (str(removal), removal.kept) == ("asia: PersistentVolume models is removed", True)
    (removal,) = removed({CLASS: {"serving", "asia"}}, *found, delete_data=[VOLUME])
    assert not removal.kept


def test_copies_of_what_is_cluster_scoped_are_desired_in_no_namespace() -> None:
    target = BUILT_IN["priorityclasses.scheduling.k8s.io"]
    objects = [PlacedObject(Manifest(target, "high", {"metadata": {}, "value": 2}), ["asia"], {})]
    placed = {"it": PlacedWorkload("data", (), objects)}
    raw = {"manifests": "a.yaml", "namespace": "data", "placement": {"policy": "spread"}}
    found = keep_data.desired({"it": Workload.model_validate(raw)}, placed, HOST)
    assert found.copies[CLASS] == {"asia"}
    assert found.copies[NAMESPACE] == {HOST, "asia"}
    live_one = of_cluster(*CLASS, "asia") | {"spec": {"template": {"value": 1}}}
    assert keep_data.impossible_changes([live_one], placed) == []


def test_nothing_is_removed_where_nothing_changes() -> None:
    assert removed(SAME, *FOUND) == []
    assert refusal([]) == ""


def test_a_moved_workload_removes_its_namespace_and_all_in_it() -> None:
    moved = {key: {"asia"} for key in SAME} | {NAMESPACE: {"asia", HOST}}
    (removal,) = removed(moved, *FOUND)
    assert (removal.cluster, removal.namespace, removal.whole_namespace, removal.kept) == (
        "serving",
        "data",
        True,
        True,
    )
    text = str(replace(removal, claims=4))
    assert (
        text == "serving: namespace data is removed, with StatefulSet vecdb, Service vecdb and 4 PersistentVolumeClaims"
    )
    told = refusal([replace(removal, claims=1)])
    assert "nothing was changed" in told and "1 PersistentVolumeClaim\n" in told and "delete_data: true" in told


def test_an_object_can_be_removed_while_its_namespace_stays() -> None:
    (removal,) = removed({**SAME, SERVICE: set[str]()}, *FOUND)
    assert str(removal) == "serving: Service vecdb of namespace data is removed"
    assert not removal.kept
    (removal,) = removed({**SAME, SERVICE: set[str](), SET: set[str]()}, *FOUND)
    assert str(removal) == "serving: StatefulSet vecdb and Service vecdb of namespace data are removed"
    assert removal.kept


@pytest.mark.parametrize("key", [SET, CLAIM])
def test_a_claim_and_a_stateful_set_are_kept_each(key: tuple[str, str, str]) -> None:
    without = {other: where for other, where in SAME.items() if other != key}
    (removal,) = removed(without, *FOUND)
    assert removal.kept


def test_a_removed_workload_removes_the_namespace_from_the_host_as_well() -> None:
    found = {each.cluster: each for each in removed({}, *FOUND)}
    assert set(found) == {"serving", HOST}
    assert all(each.whole_namespace for each in found.values())
    assert found["serving"].kept and not found[HOST].kept
    assert replace(found[HOST], claims=1).kept


def test_a_namespace_without_known_objects_is_reported_too() -> None:
    (removal,) = removed({}, live(*NAMESPACE))
    assert str(removal) == f"{HOST}: namespace data is removed, with all that is in it"


def test_data_may_be_deleted_if_the_settings_allow_it_now_or_did_before() -> None:
    moved = {key: {"asia"} for key in SAME} | {NAMESPACE: {"asia", HOST}}
    (removal,) = removed(moved, *FOUND, delete_data=[*SAME])
    assert not replace(removal, claims=3).kept
    allowed = {"geo-federation/delete-data": "true"}
    before = [live(*key, "serving", **allowed) for key in (NAMESPACE, SET, CLAIM)]
    assert not any(replace(each, claims=3).kept for each in removed({}, *before))


def test_claims_that_no_workload_declares_need_delete_data_of_all_its_workloads() -> None:
    moved = {SET: {"asia"}, NAMESPACE: {"asia", HOST}}
    (removal,) = removed(moved, live(*NAMESPACE, "serving"), live(*SET, "serving"), delete_data=[SET])
    assert not removal.kept
    assert replace(removal, claims=1).kept


def test_copies_being_removed_and_objects_of_others_are_ignored() -> None:
    removing = live(*SET, "serving")
    removing["status"]["clusters"][0]["status"] = "WaitingForRemoval"
    others = live(*CLAIM, "serving")
    del others["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert removed({NAMESPACE: {"serving"}}, live(*NAMESPACE, "serving"), removing, others) == []


def test_a_long_list_is_shortened() -> None:
    many = [live("FederatedConfigMap", "data", f"c{number}", "serving") for number in range(15)]
    (removal,) = removed({NAMESPACE: {"serving"}}, live(*NAMESPACE, "serving"), *many)
    assert "c0, " in str(removal) and "and 5 more objects" in str(removal) and "c9" not in str(removal)


def test_a_run_that_would_delete_data_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_data, "query_federated_objects", Mock(return_value=[*FOUND]))
    monkeypatch.setattr(keep_data, "_count_claims", Mock(return_value=2))
    with pytest.raises(pulumi.RunError, match=r"serving: namespace data is removed.*2 PersistentVolumeClaims"):
        keep_data._check({}, {}, HOST, {HOST: ""})  # pyright: ignore[reportPrivateUsage]


def test_another_host_would_lose_what_the_former_one_has(monkeypatch: pytest.MonkeyPatch) -> None:
    objects: dict[str, list[dict[str, Any]]] = {"serving": [], HOST: [*FOUND]}

    def federated(cluster: str, kubeconfig: str) -> list[dict[str, Any]]:
        return objects[cluster]

    monkeypatch.setattr(keep_data, "query_federated_objects", federated)
    monkeypatch.setattr(keep_data, "_count_claims", Mock(return_value=0))
    with pytest.raises(pulumi.RunError, match=r"serving: namespace data is removed, with .*StatefulSet vecdb"):
        keep_data._check({}, {}, "serving", {"serving": "", HOST: ""})  # pyright: ignore[reportPrivateUsage]
