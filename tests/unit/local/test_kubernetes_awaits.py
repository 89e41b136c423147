"""When an object counts as ready."""

from typing import Any

import pytest

from local.kubernetes import jsonpath
from local.kubernetes.awaits import awaits_deletion, needs_endpoints, pod_problems, readiness_of, seconds_of, serves
from local.plugin import Refused


def body(kind: str, version: str = "v1", /, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"generation": 2}, **parts}


def waiting_for(text: str, status: dict[str, Any]) -> str:
    """What a custom object with the annotation still lacks."""
    made = body("Gate", "example.test/v1", status=status)
    made["metadata"] |= {"annotations": {"pulumi.com/waitFor": text}}
    lack = readiness_of(made).check(made)
    return lack.text if lack else ""


READY = {"conditions": [{"type": "Ready", "status": "True"}]}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("condition=Ready", READY),
        ("condition=ready=true", READY),
        ("condition=Ready=False", {"conditions": [{"type": "Ready", "status": "False"}]}),
        ("condition=Ready", READY | {"observedGeneration": 2}),
        ("jsonpath={.status.phase}", {"phase": "any"}),
        ("jsonpath={.status.phase}=Running", {"phase": "Running"}),
        ("jsonpath={ .status.open }=true", {"open": True}),
        ("jsonpath={.status.count}=3", {"count": 3}),
        ("jsonpath={.status.items}", {"items": [1]}),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', READY),
        ('["condition=Ready", "jsonpath={.status.phase}=Open"]', READY | {"phase": "Open"}),
    ],
)
def test_what_an_annotation_waits_for_is_there(text: str, status: dict[str, Any]) -> None:
    assert waiting_for(text, status) == ""


@pytest.mark.parametrize(
    ("text", "status", "lack"),
    [
        ("condition=Ready", {}, "is not set"),
        ("condition=Ready", {"conditions": [{"type": "Ready", "status": "False", "message": "no"}]}, "is False (no)"),
        ("condition=Ready", READY | {"observedGeneration": 1}, "older generation"),
        (
            "condition=Ready",
            {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}], "observedGeneration": 2},
            "older generation",
        ),
        ("jsonpath={.status.phase}", {}, "is not set"),
        ("jsonpath={.status.phase}=Running", {"phase": "Pending"}, "is Pending, not Running"),
        ("jsonpath={.status.items}=1", {"items": [1]}, "no plain value"),
        ('["condition=Ready", "jsonpath={.status.phase}"]', READY, ".status.phase is not set"),
    ],
)
def test_what_an_annotation_waits_for_is_not_there(text: str, status: dict[str, Any], lack: str) -> None:
    assert lack in waiting_for(text, status)


@pytest.mark.parametrize(
    "text", ["Ready", "condition=", "jsonpath=.status.phase", "jsonpath={.a[}", "jsonpath={}", "[]", '["Ready"]']
)
def test_an_annotation_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"pulumi\.com/waitFor"):
        waiting_for(text, {})


def test_skipping_wins() -> None:
    made = body("Gate", "example.test/v1")
    made["metadata"]["annotations"] = {"pulumi.com/waitFor": "nonsense", "pulumi.com/skipAwait": "true"}
    assert readiness_of(made).check(made) is None


ROLLED_OUT = {"observedGeneration": 2, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3, "replicas": 3}


@pytest.mark.parametrize(
    ("made", "ready"),
    [
        (body("Deployment", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT), True),
        (body("Deployment", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT | {"observedGeneration": 1}), False),
        (body("Deployment", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT | {"updatedReplicas": 2}), False),
        (body("Deployment", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT | {"replicas": 4}), False),
        (body("Deployment", "apps/v1", spec={"replicas": 3}), False),
        (body("Deployment", "apps/v1", spec={"replicas": 0}, status={"observedGeneration": 2}), True),
        (body("Deployment", "example.test/v1", spec={"replicas": 3}), True),
        (body("StatefulSet", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT), True),
        (body("StatefulSet", "apps/v1", spec={"replicas": 3}, status=ROLLED_OUT | {"updateRevision": "b"}), False),
        (body("DaemonSet", "apps/v1", spec={}, status={"observedGeneration": 2, "desiredNumberScheduled": 1}), False),
        (body("CustomResourceDefinition", "apiextensions.k8s.io/v1", status={}), False),
        (body("Job", "batch/v1", spec={}, status={"conditions": [{"type": "Complete", "status": "True"}]}), True),
        (body("Job", "batch/v1", spec={}, status={"active": 1}), False),
        (body("Pod", spec={}, status={"phase": "Running", **READY}), True),
        (body("Pod", spec={}, status={"phase": "Succeeded"}), True),
        (body("Pod", spec={}, status={"phase": "Running"}), False),
        (body("Namespace", status={"phase": "Active"}), True),
        (body("Secret", type="Opaque"), True),
        (body("Secret", type="kubernetes.io/service-account-token", data={"ca.crt": "x"}), False),
        (body("Secret", type="kubernetes.io/service-account-token", data={"token": "x"}), True),
        (body("Service", spec={"type": "ClusterIP"}), True),
        (body("Service", spec={"type": "LoadBalancer"}, status={"loadBalancer": {}}), False),
        (body("ConfigMap"), True),
    ],
)
def test_kinds_are_ready_by_their_own_measure(made: dict[str, Any], ready: bool) -> None:
    assert (readiness_of(made).check(made) is None) is ready


def test_a_failed_job_is_not_waited_for() -> None:
    failed = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    made = body("Job", "batch/v1", spec={}, status={"conditions": [failed]})
    lack = readiness_of(made).check(made)
    assert lack
    assert lack.final
    assert "BackoffLimitExceeded" in lack.text


def test_a_service_needs_endpoints_only_where_it_selects_pods() -> None:
    assert needs_endpoints(body("Service", spec={"selector": {"a": "b"}}))
    assert not needs_endpoints(body("Service", spec={}))
    assert not needs_endpoints(body("Service", spec={"selector": {"a": "b"}, "clusterIP": "None"}))
    assert not needs_endpoints(body("Service", "example.test/v1", spec={"selector": {"a": "b"}}))
    assert serves({"endpoints": [{"conditions": {"ready": False}}, {"conditions": {"ready": True}}]})
    assert not serves({"endpoints": [{"conditions": {"ready": False}}]})
    assert not serves({"endpoints": None})


def test_options_come_before_the_annotation_and_that_before_the_default() -> None:
    made = body("Pod")
    assert seconds_of(made, 0, 600) == 600
    made["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "30"}
    assert seconds_of(made, 0, 600) == 30
    assert seconds_of(made, 5, 600) == 5
    made["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "soon"}
    assert seconds_of(made, 0, 600) == 600


def test_skipping_skips_the_wait_for_a_deletion_of_some_kinds() -> None:
    skipping = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    assert not awaits_deletion({"kind": "Namespace"} | skipping)
    assert awaits_deletion({"kind": "Gate"} | skipping)
    assert awaits_deletion({"kind": "Namespace"})


def test_pods_say_why_they_do_not_run() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    pods: list[dict[str, Any]] = [
        {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]}},
        {"status": {"containerStatuses": [{"name": "main", "state": {"waiting": waiting}}]}},
        {"status": {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}]}},
    ]
    pods = [{"metadata": {"name": f"p{number}"}, **pod} for number, pod in enumerate(pods)]
    assert pod_problems(pods) == [
        "pod p0 is not scheduled: no node",
        "container main of pod p1: ImagePullBackOff: no such image",
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        ("$.a.b", [1]),
        (".a['b']", [1]),
        (r".a.x\.test/y", [2]),
        (".list[0]", [{"n": "one", "v": 1}]),
        (".list[-1].v", [2]),
        (".list[9]", []),
        (".list[*].v", [1, 2]),
        (".list[?(@.n=='two')].v", [2]),
        (".list[?(@.v == 2)].n", ["two"]),
        (".none.b", []),
        (".a.b.c", []),
    ],
)
def test_paths_find_what_is_there(path: str, found: list[Any]) -> None:
    value = {"a": {"b": 1, "x.test/y": 2}, "list": [{"n": "one", "v": 1}, {"n": "two", "v": 2}]}
    assert jsonpath.parse(path)(value) == found
