"""Objects are held against the API's own schemas: nothing that it prunes or refuses passes."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from placement.api.kinds import BUILT_IN, KNOWN, TargetType
from placement.api.schemas import dotted, normal, schema_mistakes, version
from tests.objects import deployment, job
from tools.modules import PINNED_KUBERNETES

DEPLOYMENTS = BUILT_IN["deployments.apps"]
CHECKED = f" (checked against Kubernetes {version()})"


def reported(body: dict[str, Any], target: TargetType = DEPLOYMENTS) -> list[str]:
    return [f"{dotted(path)}: {text}" for path, text in schema_mistakes(normal(body, target), target)]


def small(config_name: str, **more: Any) -> dict[str, Any]:
    target = KNOWN[config_name]
    return {"apiVersion": target.api_version, "kind": target.kind, "metadata": {"name": "a"}, **more}


def test_the_schemas_are_those_of_the_kubernetes_that_the_stack_runs() -> None:
    assert PINNED_KUBERNETES.startswith(f"v{version()}.")


def test_good_objects_are_taken() -> None:
    assert reported(deployment(replicas=2, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}})) == []
    assert reported(job(completions=2), BUILT_IN["jobs.batch"]) == []


@pytest.mark.parametrize("kind", ["DaemonSet", "ReplicaSet", "StatefulSet"])
def test_every_kind_that_selects_pods_is_taken(kind: str) -> None:
    target = next(each for each in BUILT_IN.values() if each.kind == kind)
    assert reported(deployment(kind=kind), target) == []


def changed(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> dict[str, Any]:
    body = copy.deepcopy(deployment())
    change(body, body["spec"]["template"]["spec"]["containers"][0])
    return body


def put(*path: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    """Puts a value into the Deployment, or below `container` into its container."""

    def change(body: dict[str, Any], container: dict[str, Any]) -> None:
        node: dict[str, Any] = container if path[0] == "container" else body
        *parents, last = path[1:] if path[0] == "container" else path
        for key in parents:
            node = node.setdefault(key, {})
        node[last] = value

    return change


CONTAINER = "spec.template.spec.containers.0"
AMOUNT = "an amount of a resource, such as 500m, 16Gi or 1"
BAD: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], object], str]] = {
    "a misspelt field": (
        put("container", "imagePullPolic", value="Always"),
        f"{CONTAINER}.imagePullPolic: unknown field; write imagePullPolicy, or another of the 25 known{CHECKED}",
    ),
    "a field in the wrong place": (
        put("spec", "containers", value=[]),
        "spec.containers: unknown field; write one of minReadySeconds, paused, progressDeadlineSeconds, replicas, "
        f"revisionHistoryLimit, selector, strategy, template{CHECKED}",
    ),
    "a label that is a number": (
        put("metadata", "labels", value={"version": 15.2}),
        "metadata.labels.version: 15.2 is a number; put it in quotes",
    ),
    "an annotation that is a number": (
        put("metadata", "annotations", value={"port": 9090}),
        "metadata.annotations.port: 9090 is a number; put it in quotes",
    ),
    "a label that is a boolean": (
        put("metadata", "labels", value={"gpu": True}),
        "metadata.labels.gpu: true is a boolean; put it in quotes",
    ),
    "annotations in a list": (
        put("metadata", "annotations", value=["a"]),
        "metadata.annotations: ['a'] is a list; write a map",
    ),
    "no spec": (put("spec", value=None), "spec: required; write a map with selector and template"),
    "a spec of text": (put("spec", value="x"), "spec: 'x' is text; write a map with selector and template"),
    "no selector": (put("spec", "selector", value=None), "spec.selector: required; write a map"),
    "no pod": (
        put("spec", "template", value={}),
        "spec.template.spec: required; write a map with containers",
    ),
    "a number in quotes": (
        put("spec", "replicas", value="3"),
        "spec.replicas: '3' is text; write a whole number, without quotes",
    ),
    "a number that is too large": (
        put("spec", "replicas", value=2**31),
        "spec.replicas: 2147483648: write a whole number of 32 bits",
    ),
    "a part of a number": (put("spec", "replicas", value=1.5), "spec.replicas: 1.5 is a number; write a whole number"),
    "a boolean in quotes": (
        put("spec", "paused", value="true"),
        "spec.paused: 'true' is text; write true or false, without quotes",
    ),
    "a value that is none of the known": (
        put("container", "imagePullPolicy", value="always"),
        f"{CONTAINER}.imagePullPolicy: 'always': write one of Always, IfNotPresent, Never{CHECKED}",
    ),
    "a number or text": (
        put("spec", "strategy", value={"rollingUpdate": {"maxSurge": [1]}}),
        "spec.strategy.rollingUpdate.maxSurge: [1] is a list; write a whole number or text",
    ),
    "an amount that is a list": (
        put("container", "resources", "limits", value={"memory": [1]}),
        f"{CONTAINER}.resources.limits.memory: [1] is a list; write {AMOUNT}",
    ),
    "an amount that is none": (
        put("container", "resources", "limits", value={"memory": "4 GB"}),
        f"{CONTAINER}.resources.limits.memory: '4 GB': write {AMOUNT}",
    ),
    "GPUs that are not filled in": (
        put("container", "resources", "requests", value={"nvidia.com/gpu": "$GPUS"}),
        f"{CONTAINER}.resources.requests.nvidia.com/gpu: '$GPUS': write a whole number",
    ),
    "a list with a hole": (
        put("container", "ports", value=[None]),
        f"{CONTAINER}.ports.0.containerPort: required; write a whole number",
    ),
    "a key with an escape": (
        put("metadata", "a\x1b[2J", value=1),
        rf"metadata.a\x1b[2J: unknown field; write name, or another of the 15 known{CHECKED}",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_told_once(case: str) -> None:
    change, message = BAD[case]
    found = reported(changed(change))
    assert len(found) == 1
    assert found[0].partition("; write ")[0] == message.partition("; write ")[0]
    if case != "a key with an escape":
        assert found == [message]


def test_all_mistakes_are_told_at_once() -> None:
    body = changed(put("container", "imagePullPolic", value="Always"))
    body["spec"]["template"]["spec"]["containers"].append({"ports": [{}]})
    body["metadata"]["labels"] = {"version": 15.2}
    assert len(reported(body)) == 4


def test_the_values_of_a_secret_are_not_reported() -> None:
    body = small("secrets", stringData={"key": 4711}, data={"other": "not base64!", "more": ["hidden"]})
    found = reported(body, BUILT_IN["secrets"])
    assert sorted(found) == [
        "data.more: the value is a list; write base64, or put the text itself under stringData",
        "data.other: the value: write base64, or put the text itself under stringData",
        "stringData.key: the value is a number; put it in quotes",
    ]
    assert reported(small("secrets", data={"key": "aGVsbG8=\n", "empty": ""}), BUILT_IN["secrets"]) == []


def test_of_a_kind_that_a_crd_brings_the_metadata_is_checked() -> None:
    body = small("jobsets.jobset.x-k8s.io", spec={"anything": [1]})
    body["metadata"] |= {"labels": {"version": 15.2}, "annotations": None, "creationTimestamp": None}
    target = KNOWN["jobsets.jobset.x-k8s.io"]
    assert reported(body, target) == ["metadata.labels.version: 15.2 is a number; put it in quotes"]
    assert normal(body, target)["metadata"] == {"name": "a", "labels": {"version": 15.2}}


@pytest.mark.parametrize(
    ("config_name", "more"),
    [
        ("services", {"spec": {"ports": [{"port": 80, "targetPort": "http", "protocol": ""}]}}),
        ("serviceaccounts", {"imagePullSecrets": [{"name": "a"}], "automountServiceAccountToken": False}),
        ("configmaps", {"data": {"a": "b"}, "binaryData": {"a": "aGVsbG8="}, "immutable": True}),
        ("limitranges", {"spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi", "cpu": 0.5}}]}}),
        # The API fills these in where they are left out, though its schema calls them required.
        ("rolebindings.rbac.authorization.k8s.io", {"roleRef": {"kind": "Role", "name": "a"}}),
        ("limitranges", {"spec": {}}),
        ("persistentvolumeclaims", {"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Bound"}}),
        ("networkpolicies.networking.k8s.io", {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
        ("poddisruptionbudgets.policy", {"spec": {"minAvailable": "50%", "selector": {}}}),
        (
            "horizontalpodautoscalers.autoscaling",
            {"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a"}}},
        ),
        ("cronjobs.batch", {"spec": {"schedule": "@daily", "jobTemplate": {"spec": job()["spec"]}}}),
    ],
)
def test_other_kinds_are_taken(config_name: str, more: dict[str, Any]) -> None:
    assert reported(small(config_name, **more), BUILT_IN[config_name]) == []


@pytest.mark.parametrize("config_name", BUILT_IN)
def test_every_built_in_kind_has_a_schema(config_name: str) -> None:
    (message,) = [each for each in reported(small(config_name, specc=1), BUILT_IN[config_name]) if "specc" in each]
    assert message.startswith("specc: unknown field; write ")


# What follows is how Go reads JSON.


def test_a_field_of_null_is_absent_at_any_depth() -> None:
    body = deployment(replicas=None, strategy=None)
    template = body["spec"]["template"]
    template["metadata"]["creationTimestamp"] = None
    template["spec"] |= {"tolerations": None, "securityContext": {"runAsUser": None}}
    plain = deployment()
    plain["spec"]["template"]["spec"]["securityContext"] = {}
    assert normal(body | {"status": None}, DEPLOYMENTS) == plain


def test_null_in_a_map_or_list_is_empty() -> None:
    body = deployment()
    body["metadata"] |= {"labels": {"a": None}, "annotations": {"b": None}}
    (container,) = body["spec"]["template"]["spec"]["containers"]
    container |= {"args": ["x", None], "env": [None], "resources": {"limits": {"cpu": None}}}
    read = normal(body, DEPLOYMENTS)
    assert read["metadata"] == {"name": "api", "labels": {"a": ""}, "annotations": {"b": ""}}
    (container,) = read["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["x", ""]
    assert container["env"] == [{}]
    assert container["resources"]["limits"] == {"cpu": 0}
    assert normal(small("configmaps", data={"a": None}), BUILT_IN["configmaps"])["data"] == {"a": ""}


def test_a_whole_number_with_a_point_is_a_whole_number() -> None:
    replicas = normal(deployment(replicas=3.0), DEPLOYMENTS)["spec"]["replicas"]
    assert type(replicas) is int


def test_an_unknown_field_of_null_is_told_all_the_same() -> None:
    assert reported(deployment(replica=None))[0].startswith("spec.replica: unknown field; write one of replicas, ")


def test_what_is_read_is_not_changed() -> None:
    body = deployment(strategy=None)
    before = copy.deepcopy(body)
    normal(body, DEPLOYMENTS)
    assert body == before
