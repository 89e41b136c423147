"""What the API refuses and no schema says."""

from typing import Any

import pytest

from placement.api.api_rules import check_object
from placement.api.kinds import BUILT_IN, KNOWN
from placement.api.schemas import dotted, normal
from tests.objects import deployment, job

GPU = "nvidia.com/gpu"


def mistakes(body: dict[str, Any]) -> list[str]:
    target = next(each for each in KNOWN.values() if each.kind == body["kind"])
    return [f"{dotted(path)}: {text}" for path, text in check_object(normal(body, target), target)]


def cron_job(pod: dict[str, Any]) -> dict[str, Any]:
    spec = {"schedule": "@daily", "jobTemplate": {"spec": job(pod=pod)["spec"]}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_a_selector_must_select_its_own_pods(kind: str) -> None:
    assert mistakes(deployment(kind=kind)) == []
    selector = {"matchLabels": {"app": "other", "tier": "web"}}
    advice = "and no pod would be selected; write the same in both"
    assert mistakes(deployment(kind=kind, selector=selector)) == [
        f"spec.selector.matchLabels.app: 'other': spec.template.metadata.labels has 'api', {advice}",
        f"spec.selector.matchLabels.tier: 'web': spec.template.metadata.labels lacks it, {advice}",
    ]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (None, "required of a Job; write Never or OnFailure"),
        ("", "required of a Job; write Never or OnFailure"),
        ("Always", "'Always': pods of a Job must end; write Never or OnFailure"),
    ],
)
def test_pods_of_a_job_end(policy: str | None, message: str) -> None:
    pod = {"restartPolicy": policy}
    assert mistakes(job(pod=pod)) == [f"spec.template.spec.restartPolicy: {message}"]
    assert mistakes(cron_job(pod)) == [f"spec.jobTemplate.spec.template.spec.restartPolicy: {message}"]
    assert mistakes(job(pod={"restartPolicy": "OnFailure"})) == []


@pytest.mark.parametrize(
    "labels",
    [
        {"a b": "c"},
        {"": "c"},
        {"a/b/c": "d"},
        {"A.com/b": "c"},
        {"a": "b c"},
        {"a": "-b"},
        {"a": "b" * 64},
        {"a": "b\n"},
    ],
)
def test_labels_are_names(labels: dict[str, str]) -> None:
    body, of_pods = deployment(), deployment()
    body["metadata"]["labels"] = labels
    (message,) = mistakes(body)
    assert message.startswith("metadata.labels")
    assert "write" in message
    of_pods["spec"]["template"]["metadata"]["labels"] |= labels
    assert mistakes(of_pods) == [f"spec.template.{message}"]


def test_labels_of_every_kind_are_checked() -> None:
    body = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"labels": {"a": "b c"}}}
    assert len(mistakes(body)) == 1


def test_good_names_are_taken() -> None:
    body = deployment()
    body["metadata"]["labels"] = {"app.kubernetes.io/name": "a_b.c-d", "a": "", "B": "1", "a" * 63: "b" * 63}
    body["metadata"]["annotations"] = {"Example.COM/a": "any text\nat all", "a": ""}
    assert mistakes(body) == []


def test_keys_of_annotations_are_names() -> None:
    body = deployment()
    body["metadata"]["annotations"] = {"a b": "c"}
    (message,) = mistakes(body)
    assert message.startswith("metadata.annotations: 'a b' is not an annotation key; write ")


@pytest.mark.parametrize("config_name", ["deployments.apps", "statefulsets.apps", "jobs.batch"])
def test_there_are_no_fewer_pods_than_none(config_name: str) -> None:
    target = BUILT_IN[config_name]
    body = job() if target.kind == "Job" else deployment(kind=target.kind)
    for field in target.counted:
        assert f"spec.{field}: -1: write a whole number from 0 up" in mistakes(
            body | {"spec": body["spec"] | {field: -1}}
        )


RESOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "a part of a GPU": ({"limits": {GPU: 0.5}}, f"limits.{GPU}: 0.5: write a whole number from 0 up"),
    "thousandths of a GPU": ({"limits": {GPU: "500m"}}, f"limits.{GPU}: '500m': write a whole number from 0 up"),
    "fewer than none": ({"limits": {GPU: -1}}, f"limits.{GPU}: -1: write a whole number from 0 up"),
    "a request alone": (
        {"requests": {GPU: 1}},
        f"limits.{GPU}: required, since requests has it; write it under limits, which is enough",
    ),
    "a request that is no limit": (
        {"requests": {GPU: 1}, "limits": {GPU: 2}},
        f"requests.{GPU}: 1: the limit is 2; write the limit alone, or the same in both",
    ),
    "text": ({"limits": {GPU: "all"}}, f"limits.{GPU}: 'all': write a whole number"),
}


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
@pytest.mark.parametrize("case", RESOURCES)
def test_what_cannot_be_counted_is_reported(case: str, kind: str) -> None:
    resources, message = RESOURCES[case]
    pod = {kind: [{"name": "x", "image": "y", "resources": resources}]}
    assert mistakes(deployment(pod=pod)) == [f"spec.template.spec.{kind}.0.resources.{message}"]
    assert mistakes(cron_job(pod)) == [f"spec.jobTemplate.spec.template.spec.{kind}.0.resources.{message}"]


@pytest.mark.parametrize(
    "resources",
    [
        {"limits": {GPU: 1}},
        {"limits": {GPU: "1"}, "requests": {GPU: 1}},
        {"limits": {GPU: "1k"}, "requests": {GPU: "1000"}},
        {"limits": {"cpu": 0.5, "memory": "1.5Gi"}, "requests": {"cpu": "250m", "ephemeral-storage": "1e9"}},
        {"requests": {"cpu": 1}},
    ],
)
def test_what_can_be_counted_is_taken(resources: dict[str, Any]) -> None:
    assert mistakes(deployment(pod={"containers": [{"name": "x", "image": "y", "resources": resources}]})) == []


def test_a_pod_as_a_whole_has_no_gpus() -> None:
    (message,) = mistakes(deployment(pod={"resources": {"limits": {GPU: 1, "cpu": 2}}}))
    assert message.startswith(f"spec.template.spec.resources.limits.{GPU}: not counted for the pod as a whole; write")
