"""The rules of Kubernetes' API that no schema says: the few that are broken most often, and surely refused."""

import re
from collections.abc import Mapping
from typing import Any

from placement.kinds import TargetType
from placement.pod_requests import is_extended
from placement.quantities import is_quantity, whole
from placement.reach import at, elements, entries
from placement.schemas import Mistakes, Steps, schema_mistakes
from problems import LABEL_KEY, LABEL_VALUE, shorten

_SELECTING = ("daemonsets.apps", "deployments.apps", "replicasets.apps", "statefulsets.apps")
_JOBS = ("cronjobs.batch", "jobs.batch")
_KEY = "letters, digits, dashes, dots and underscores, such as app or example.com/app"
_VALUE = "write up to 63 letters, digits, dashes, dots and underscores, with a letter or digit first and last"


def check_object(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    """Yields all that the API would refuse in a normal object, as far as it can be known without asking it."""
    yield from schema_mistakes(body, target)
    yield from _names(body, ("metadata",))
    yield from _numbers(body, target)
    if not target.pod_template:
        return
    template = at(body, *target.pod_template)
    yield from _names(template, (*target.pod_template, "metadata"))
    if target.config_name in _SELECTING:
        yield from _selected(at(body, "spec", "selector", "matchLabels"), template)
    pod, path = at(template, "spec"), (*target.pod_template, "spec")
    if target.config_name in _JOBS:
        yield from _ends(pod, (*path, "restartPolicy"))
    yield from _resources(pod, path)


def _names(holder: Any, path: Steps) -> Mistakes:
    """Keys of labels and annotations, and values of labels."""
    metadata = at(holder, "metadata")
    for key, value in entries(at(metadata, "labels")).items():
        if not re.fullmatch(LABEL_KEY, key):
            yield (*path, "labels"), f"{shorten(key)} is no key of a label; write {_KEY}"
        if isinstance(value, str) and not re.fullmatch(LABEL_VALUE, value):
            yield (*path, "labels", key), f"{shorten(value)} is no value of a label; {_VALUE}"
    for key in entries(at(metadata, "annotations")):
        # Kubernetes takes upper case in the domain of an annotation.
        if not re.fullmatch(LABEL_KEY, key.lower()):
            yield (*path, "annotations"), f"{shorten(key)} is no key of an annotation; write {_KEY}"


def _numbers(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    for field in target.counted:
        count = at(body, "spec", field)
        if isinstance(count, int) and count < 0:
            yield ("spec", field), f"{shorten(count)}: write a whole number from 0 up"


def _selected(wanted: Any, template: Any) -> Mistakes:
    labels = entries(at(template, "metadata", "labels"))
    for key, value in entries(wanted).items():
        if isinstance(value, str) and labels.get(key) != value:
            there = f"has {shorten(labels[key])}" if key in labels else "lacks it"
            advice = f"spec.template.metadata.labels {there}, and no pod would be selected; write the same in both"
            yield ("spec", "selector", "matchLabels", key), f"{shorten(value)}: {advice}"


def _ends(pod: Any, path: Steps) -> Mistakes:
    policy = entries(pod).get("restartPolicy")
    if pod and policy in (None, ""):
        yield path, "required of a Job; write Never or OnFailure"
    elif policy == "Always":
        yield path, "'Always': pods of a Job end; write Never or OnFailure"


def _resources(pod: Any, path: Steps) -> Mistakes:
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(elements(at(pod, kind))):
            yield from _extended(at(container, "resources"), (*path, kind, index, "resources"))
    for part in ("limits", "requests"):
        for name in entries(at(pod, "resources", part)):
            if is_extended(name):
                advice = "not counted for the pod as a whole; write it under resources of a container"
                yield (*path, "resources", part, name), advice


def _extended(resources: Any, path: Steps) -> Mistakes:
    """Extended resources, such as GPUs, which no two pods share and of which there are no parts."""
    limits, requests = (_scarce(at(resources, part)) for part in ("limits", "requests"))
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            # What is no quantity at all is against the schema.
            if is_quantity(amount) and whole(amount) is None:
                yield (*path, part, name), f"{shorten(amount)}: write a whole number from 0 up"
    for name, amount in requests.items():
        if name not in limits:
            yield (*path, "limits", name), "required, since requests has it; write it under limits, which is enough"
        elif None not in (whole(amount), whole(limits[name])) and whole(amount) != whole(limits[name]):
            advice = f"the limit is {shorten(limits[name])}; write the limit alone, or the same in both"
            yield (*path, "requests", name), f"{shorten(amount)}: {advice}"


def _scarce(amounts: Any) -> dict[str, Any]:
    return {name: amount for name, amount in entries(amounts).items() if is_extended(name)}
