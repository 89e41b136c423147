"""An operator's published manifests, changed so that its controller runs as a process on this machine.

What differs from a cluster: one replica without leader election, since there is one process and a killed one would
leave its lease; Services on ports that any user may listen on; CRDs without descriptions; and for Kueue, webhooks of
those kinds alone that its neighbours here have, since one that does not answer refuses every object of its kind.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import yaml

from local.kwok_config import REAL_ANNOTATION
from placement.api.lookup import at

Object = dict[str, Any]

_CONFIG = "controller_manager_config.yaml"
_TRAINER = "kubeflow-system"
_TRAINER_SECRET = "kubeflow-trainer-webhook-cert"

# The kinds that Kueue queues here, by the names of its integrations and of its webhooks without their first letter.
_QUEUED = {
    "batch/job": "job",
    "jobset.x-k8s.io/jobset": "jobset",
    "leaderworkerset.x-k8s.io/leaderworkerset": "leaderworkerset",
    "ray.io/rayjob": "rayjob",
    "ray.io/raycluster": "raycluster",
    "ray.io/rayservice": "rayservice",
    "trainer.kubeflow.org/trainjob": "trainjob",
    "pod": "pod",
    "deployment": "deployment",
    "statefulset": "statefulset",
}
_OWN = ("clusterqueue", "cohort", "resourceflavor", "workload")
# Of these kinds, Kueue's webhooks are called for what has a queue alone: they are in every cluster in great numbers.
_COMMON = ("pod", "deployment", "statefulset")
_HAS_QUEUE = (
    "has(object.metadata.labels) && 'kueue.x-k8s.io/queue-name' in object.metadata.labels"
    " || has(object.metadata.annotations) && 'kueue.x-k8s.io/pod-suspending-parent' in object.metadata.annotations"
)


def adapted(name: str, image: str, published: Iterable[Object]) -> list[Object]:
    """The manifests of an operator by its short name, whose controller is the program of an image."""
    objects = [each for each in published if each and each["kind"] != "APIService"]
    if name == "trainer":
        objects = _in_namespace(objects)
    for each in objects:
        if each["kind"] == "Deployment":
            _one_process(each, name, image)
        elif each["kind"] == "Service":
            for port in each["spec"]["ports"]:
                port["port"] = _unprivileged(port)
        elif each["kind"] == "ConfigMap" and _CONFIG in each.get("data", {}):
            each["data"][_CONFIG] = _configuration(name, each["data"][_CONFIG])
        elif each["kind"] == "CustomResourceDefinition":
            each["spec"]["versions"] = _undescribed(each["spec"]["versions"])
        elif name == "kueue" and each["kind"].endswith("WebhookConfiguration"):
            each["webhooks"] = [*_kept_webhooks(each["webhooks"])]
    _to_services(objects)
    return objects


def _one_process(deployment: Object, name: str, image: str) -> None:
    spec = deployment["spec"]
    # Never two at once: nothing but a lease would keep the old one from acting beside the new one.
    spec |= {"replicas": 1, "strategy": {"type": "Recreate"}}
    metadata = spec["template"].setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), REAL_ANNOTATION[0]: REAL_ANNOTATION[1]}
    (container,) = spec["template"]["spec"]["containers"]
    container["image"] = image
    more = {
        # Its second server writes to a folder that is fixed in its code.
        "kueue": ["--feature-gates=VisibilityOnDemand=false"],
        "kuberay": ["--enable-leader-election=false"],
    }
    if name in more:
        container["args"] = [*container.get("args", []), *more[name]]


def _configuration(name: str, text: str) -> str:
    config: Object = yaml.safe_load(text)
    config["leaderElection"] = {"leaderElect": False}
    if name == "kueue":
        config["integrations"] = {"frameworks": [*_QUEUED]}
    return yaml.safe_dump(config, sort_keys=False)


def _kept_webhooks(webhooks: Iterable[Object]) -> Iterator[Object]:
    for webhook in webhooks:
        kind = webhook["name"].partition(".")[0][1:]
        if kind in _COMMON:
            yield webhook | {"matchConditions": [{"name": "has-queue", "expression": _HAS_QUEUE}]}
        elif kind in (*_QUEUED.values(), *_OWN):
            yield webhook


def _undescribed(value: Any) -> Any:
    """A schema without its descriptions: Pulumi writes its whole state, of which they were half, after each step."""
    if isinstance(value, dict):
        items = cast(Object, value).items()
        # A field may have that name: its value is a schema, no text.
        return {key: _undescribed(each) for key, each in items if key != "description" or not isinstance(each, str)}
    return [_undescribed(each) for each in cast(list[Any], value)] if isinstance(value, list) else value


def _unprivileged(port: Mapping[str, Any]) -> int:
    """The port of a Service on this machine, where ports below 1024 are the administrator's."""
    return port["port"] if port["port"] >= 1024 else port["targetPort"]


def _to_services(objects: Iterable[Object]) -> None:
    """Makes webhooks call the port that their Service has."""
    every = list(objects)
    ports = {
        each["metadata"]["name"]: port["port"]
        for each in every
        if each["kind"] == "Service"
        for port in each["spec"]["ports"]
        if port.get("targetPort") in (9443, "webhook-server")
    }
    for each in every:
        for client in _clients(each):
            client["service"]["port"] = ports[client["service"]["name"]]


def _clients(each: Object) -> Iterator[Object]:
    """The webhooks' clients in an object."""
    for webhook in each.get("webhooks", []):
        yield webhook["clientConfig"]
    if each["kind"] == "CustomResourceDefinition":
        client = at(each, "spec", "conversion", "webhook", "clientConfig")
        if client:
            yield client


def _in_namespace(objects: Iterable[Object]) -> list[Object]:
    """Trainer's manifests in the namespace of its published overlay, with the Secret that this adds."""
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _TRAINER}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": _TRAINER_SECRET, "namespace": _TRAINER}},
    ]
    for each in objects:
        if each["kind"] in ("Deployment", "Service", "ServiceAccount"):
            each["metadata"]["namespace"] = _TRAINER
        for subject in cast(list[Object], each.get("subjects") or []):
            subject["namespace"] = _TRAINER
        for client in _clients(each):
            client["service"]["namespace"] = _TRAINER
        found.append(each)
    return found
