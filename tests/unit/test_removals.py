"""What a run would remove from the clusters is said, and data goes only where the settings let it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest

from federation import keep_data
from federation.removals import Desired, Removal, federated_objects, refusal, removals

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


def going(desired: Mapping[Any, Any], *found: Mapping[str, Any], delete_data: Any = ()) -> list[Removal]:
    return removals(federated_objects(found), Desired(desired, delete_data), HOST)


FOUND = (
    live(*NAMESPACE, "serving", HOST),
    live(*SET, "serving"),
    live(*SERVICE, "serving"),
    live(*CLAIM, "serving"),
)
SAME = {NAMESPACE: {"serving", HOST}, SET: {"serving"}, SERVICE: {"serving"}, CLAIM: {"serving"}}


def test_what_stays_where_it_is_is_no_removal() -> None:
    assert going(SAME, *FOUND) == []
    assert refusal([]) == ""


def test_a_moved_workload_takes_its_namespace_and_all_in_it_along() -> None:
    moved = {key: {"asia"} for key in SAME} | {NAMESPACE: {"asia", HOST}}
    (removal,) = going(moved, *FOUND)
    assert (removal.cluster, removal.namespace, removal.whole, removal.kept) == ("serving", "data", True, True)
    text = str(replace(removal, claims=4))
    assert text == "serving: namespace data goes, with StatefulSet vecdb, Service vecdb and 4 PersistentVolumeClaims"
    told = refusal([replace(removal, claims=1)])
    assert "nothing was changed" in told and "1 PersistentVolumeClaim\n" in told and "delete_data: true" in told


def test_an_object_can_go_while_its_namespace_stays() -> None:
    (removal,) = going({**SAME, SERVICE: set[str]()}, *FOUND)
    assert str(removal) == "serving: Service vecdb of namespace data goes"
    assert not removal.kept
    (removal,) = going({**SAME, SERVICE: set[str](), SET: set[str]()}, *FOUND)
    assert str(removal) == "serving: StatefulSet vecdb and Service vecdb of namespace data go"
    assert removal.kept


@pytest.mark.parametrize("key", [SET, CLAIM])
def test_a_claim_and_a_stateful_set_are_kept_each(key: tuple[str, str, str]) -> None:
    without = {other: where for other, where in SAME.items() if other != key}
    (removal,) = going(without, *FOUND)
    assert removal.kept


def test_a_workload_that_is_removed_takes_the_namespace_from_the_host_as_well() -> None:
    found = {each.cluster: each for each in going({}, *FOUND)}
    assert set(found) == {"serving", HOST}
    assert all(each.whole for each in found.values())
    assert found["serving"].kept and not found[HOST].kept
    assert replace(found[HOST], claims=1).kept


def test_a_namespace_with_nothing_known_in_it_is_named_all_the_same() -> None:
    (removal,) = going({}, live(*NAMESPACE))
    assert str(removal) == f"{HOST}: namespace data goes, with all in it"


def test_data_goes_where_the_settings_say_so_now_or_said_so_before() -> None:
    moved = {key: {"asia"} for key in SAME} | {NAMESPACE: {"asia", HOST}}
    (removal,) = going(moved, *FOUND, delete_data=[*SAME])
    assert not replace(removal, claims=3).kept
    allowed = {"geo-federation/delete-data": "true"}
    before = [live(*key, "serving", **allowed) for key in (NAMESPACE, SET, CLAIM)]
    assert not any(replace(each, claims=3).kept for each in going({}, *before))


def test_claims_of_nobody_need_the_word_of_the_whole_namespace() -> None:
    moved = {SET: {"asia"}, NAMESPACE: {"asia", HOST}}
    (removal,) = going(moved, live(*NAMESPACE, "serving"), live(*SET, "serving"), delete_data=[SET])
    assert not removal.kept
    assert replace(removal, claims=1).kept


def test_what_is_on_its_way_out_and_what_others_made_is_passed_over() -> None:
    leaving = live(*SET, "serving")
    leaving["status"]["clusters"][0]["status"] = "WaitingForRemoval"
    others = live(*CLAIM, "serving")
    del others["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert going({NAMESPACE: {"serving"}}, live(*NAMESPACE, "serving"), leaving, others) == []


def test_a_long_list_is_shortened() -> None:
    many = [live("FederatedConfigMap", "data", f"c{number}", "serving") for number in range(15)]
    (removal,) = going({NAMESPACE: {"serving"}}, live(*NAMESPACE, "serving"), *many)
    assert "c0, " in str(removal) and "and 5 more objects" in str(removal) and "c9" not in str(removal)


def test_a_run_ends_before_its_workloads_are_known_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_data, "_federated", Mock(return_value=[*FOUND]))
    monkeypatch.setattr(keep_data, "_claims", Mock(return_value=2))
    with pytest.raises(pulumi.RunError, match=r"serving: namespace data goes.*2 PersistentVolumeClaims"):
        keep_data._check({}, {}, HOST, {HOST: ""})  # pyright: ignore[reportPrivateUsage]
