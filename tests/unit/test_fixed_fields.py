"""A change of fields that cannot change in an existing copy re-creates the copies, or the run is refused."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from federation.fixed_fields import impossible_field_changes, replacement_trigger
from placement.api.kinds import BUILT_IN
from placement.patches import patched

Body = dict[str, Any]
PORT = {"name": "http", "port": 80}
SELECTOR = {"matchLabels": {"app": "db"}}
VOLUME = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def trigger(type_: str, body: Body, **overrides: Any) -> str | None:
    return replacement_trigger(BUILT_IN[type_], body, overrides)


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("services", {"spec": {"ports": [PORT]}}, {"spec": {"ports": [PORT], "clusterIP": "None"}}),
        ("services", {"spec": {"clusterIP": "None"}}, {"spec": {}}),
        ("services", {"spec": {"type": "LoadBalancer"}}, {"spec": {}}),
        ("services", {"spec": {"ports": [PORT]}}, {"spec": {"ports": [{**PORT, "nodePort": 30080}]}}),
        ("services", {"spec": {}}, {"spec": {"ipFamilyPolicy": "PreferDualStack"}}),
        ("deployments.apps", {"spec": {"selector": SELECTOR}}, {"spec": {"selector": {"matchLabels": {"app": "x"}}}}),
        ("statefulsets.apps", {"spec": {"serviceName": "a"}}, {"spec": {"serviceName": "b"}}),
        ("statefulsets.apps", {"spec": {}}, {"spec": {"volumeClaimTemplates": [VOLUME]}}),
        ("configmaps", {"immutable": True, "data": {"a": "1"}}, {"immutable": True, "data": {"a": "2"}}),
        ("configmaps", {"immutable": True, "data": {"a": "1"}}, {"data": {"a": "1"}}),
        ("secrets", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}),
        ("serviceaccounts", {"secrets": [{"name": "a"}]}, {}),
        ("rolebindings.rbac.authorization.k8s.io", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
        ("resourcequotas", {"spec": {"scopes": ["BestEffort"]}}, {"spec": {}}),
        ("clusterrolebindings.rbac.authorization.k8s.io", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
        ("priorityclasses.scheduling.k8s.io", {"value": 1}, {"value": 2}),
    ],
)
def test_a_change_of_a_fixed_field_makes_the_copies_anew(type_: str, before: Body, after: Body) -> None:
    assert trigger(type_, before) != trigger(type_, after)


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("services", {"spec": {"ports": [PORT]}}, {"spec": {"ports": [PORT, {"name": "x", "port": 81}]}}),
        ("services", {"spec": {}}, {"spec": {"type": "ClusterIP", "externalTrafficPolicy": "Cluster"}}),
        ("services", {"spec": {"selector": {"app": "a"}}}, {"spec": {"selector": {"app": "b"}}}),
        ("deployments.apps", {"spec": {"selector": SELECTOR}}, {"spec": {"selector": SELECTOR, "replicas": 2}}),
        ("statefulsets.apps", {"spec": {"replicas": 1}}, {"spec": {"replicas": 0}}),
        ("statefulsets.apps", {"spec": {}}, {"spec": {"podManagementPolicy": "OrderedReady"}}),
        ("configmaps", {"data": {"a": "1"}}, {"data": {"a": "2"}}),
        ("secrets", {}, {"type": "Opaque"}),
        ("priorityclasses.scheduling.k8s.io", {"value": 1}, {"value": 1, "description": "a"}),
    ],
)
def test_any_other_change_is_made_in_place(type_: str, before: Body, after: Body) -> None:
    assert trigger(type_, before) == trigger(type_, after) is not None


def test_an_override_of_a_fixed_field_counts_and_any_other_does_not() -> None:
    body: Body = {"spec": {"ports": [PORT]}}
    headless = [{"path": "/spec/clusterIP", "op": "add", "value": "None"}]
    label = [{"path": "/metadata/labels/a", "op": "add", "value": "b"}]
    assert trigger("services", body) != trigger("services", body, serving=headless)
    assert trigger("services", body) == trigger("services", {**body, "metadata": {"labels": {}}}, serving=label)


def test_types_without_fixed_fields_and_claims_are_never_made_anew() -> None:
    assert trigger("networkpolicies.networking.k8s.io", {"spec": {"podSelector": {}}}) is None
    assert trigger("persistentvolumeclaims", {"spec": {"storageClassName": "a"}}) is None


def impossible(
    type_: str, before: Body, after: Body, clusters: tuple[str, ...] = ("serving",), **patches: Any
) -> list[str]:
    was: Mapping[str, Any] = patches.get("was", {})
    will: Mapping[str, Any] = patches.get("will", {})
    return list(impossible_field_changes(BUILT_IN[type_], "a", (before, was), (after, will), clusters))


def test_a_claim_that_would_be_another_is_refused_and_one_that_grows_is_not() -> None:
    def claim(size: str, mode: str = "ReadWriteOnce") -> Body:
        return {"spec": {"accessModes": [mode], "resources": {"requests": {"storage": size}}}}

    assert impossible("persistentvolumeclaims", claim("1Gi"), claim("2Gi")) == []
    (text,) = impossible("persistentvolumeclaims", claim("1Gi"), claim("1Gi", "ReadWriteMany"))
    assert "PersistentVolumeClaim a: spec.accessModes" in text and "write another name" in text
    assert impossible("persistentvolumeclaims", claim("1Gi"), claim("1Gi", "ReadWriteMany"), clusters=()) == []


def test_a_volume_that_would_be_another_is_refused_and_one_that_grows_is_not() -> None:
    def volume(size: str, path: str = "/data") -> Body:
        return {"spec": {"capacity": {"storage": size}, "hostPath": {"path": path}}}

    assert trigger("persistentvolumes", volume("1Gi")) is None
    assert impossible("persistentvolumes", volume("1Gi"), volume("2Gi")) == []
    (text,) = impossible("persistentvolumes", volume("1Gi"), volume("1Gi", "/other"))
    assert "PersistentVolume a: spec.hostPath of a volume cannot be changed; write another name" in text


def test_a_stateful_set_whose_claims_would_go_with_it_is_refused() -> None:
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
    before = {"spec": {"serviceName": "a", **policy}}
    (text,) = impossible("statefulsets.apps", before, {"spec": {"serviceName": "b", **policy}})
    assert "whenDeleted: Retain" in text
    assert impossible("statefulsets.apps", {"spec": {"serviceName": "a"}}, {"spec": {"serviceName": "b"}}) == []


def test_an_annotation_that_no_copy_would_lose_is_refused() -> None:
    def annotated(**values: str) -> Body:
        return {
            "serving": [
                {"path": f"/metadata/annotations/example.com~1{key}", "op": "add", "value": value}
                for key, value in values.items()
            ]
        }

    (text,) = impossible("services", {}, {}, was=annotated(a="1", b="2"), will=annotated(a="3"))
    assert "annotation example.com/b would stay in serving" in text
    assert len(impossible("services", {}, {}, was=annotated(a="1"))) == 1
    assert impossible("services", {}, {}, was=annotated(a="1"), will=annotated(a="")) == []
    assert impossible("jobs.batch", {}, {}, was=annotated(a="1")) == []


def test_patches_are_made_as_kubefed_makes_them() -> None:
    body: Body = {"spec": {"ports": [{"port": 1}, {"port": 2}], "a/b": 1}}
    kept = copy.deepcopy(body)
    patches = [
        {"path": "/spec/ports/0/port", "value": 3},
        {"path": "/spec/ports/1", "op": "remove"},
        {"path": "/spec/ports/-", "op": "add", "value": {"port": 4}},
        {"path": "/spec/a~1b", "op": "remove"},
        {"path": "/metadata/annotations/x", "op": "add", "value": "no map to add it to"},
    ]
    assert patched(body, patches) == {"spec": {"ports": [{"port": 3}, {"port": 4}]}}
    assert body == kept
