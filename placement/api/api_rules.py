"""Decides whether the API would refuse an object: by its schema, and by the most often broken rules outside it.

It knows the rules of built-in kinds that every API server has. It does not know what admission policies or quotas of a
cluster refuse.
"""

import re
from collections.abc import Mapping
from typing import Any

from placement.api.ends import deletes_itself
from placement.api.interfaces import INTERFACES, interface_mistake
from placement.api.kinds import TargetType
from placement.api.lookup import at, elements, entries, texts
from placement.api.pod_requests import is_extended
from placement.api.pod_templates import templates_of
from placement.api.quantities import is_quantity, whole
from placement.api.schemas import Mistakes, Steps, schema_mistakes
from problems import LABEL_KEY, LABEL_VALUE, shorten

_SELECTING = ("daemonsets.apps", "deployments.apps", "replicasets.apps", "statefulsets.apps")
_JOBS = ("cronjobs.batch", "jobs.batch")
_KEY = "letters, digits, dashes, dots and underscores, such as app or example.com/app"
_VALUE = "write up to 63 letters, digits, dashes, dots and underscores, with a letter or digit first and last"


def check_object(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    """Yields everything that the API would refuse in a normal object, as far as is known without a cluster."""
    yield from schema_mistakes(body, target)
    yield from _label_mistakes(body, ("metadata",))
    yield from _count_mistakes(body, target)
    yield from deletes_itself(body, target)
    for template, path in templates_of(body, target):
        if path:
            yield from _label_mistakes(template, (*path, "metadata"))
        if target.config_name in _SELECTING:
            yield from _selector_mistakes(at(body, "spec", "selector", "matchLabels"), template)
        if text := interface_mistake(texts(at(template, "metadata", "annotations"))):
            yield (*path, "metadata", "annotations", INTERFACES), text
        pod = at(template, "spec")
        if target.config_name in _JOBS:
            yield from _restart_policy_mistakes(pod, (*path, "spec", "restartPolicy"))
        yield from _resource_mistakes(pod, (*path, "spec"))


def _label_mistakes(holder: Any, path: Steps) -> Mistakes:
    """Yields mistakes in the keys of labels and annotations, and in the values of labels."""
    metadata = at(holder, "metadata")
    for key, value in entries(at(metadata, "labels")).items():
        if not re.fullmatch(LABEL_KEY, key):
            yield (*path, "labels"), f"{shorten(key)} is not a label key; write {_KEY}"
        if isinstance(value, str) and not re.fullmatch(LABEL_VALUE, value):
            yield (*path, "labels", key), f"{shorten(value)} is not a label value; {_VALUE}"
    for key in entries(at(metadata, "annotations")):
        # Kubernetes takes upper case in the domain of an annotation.
        if not re.fullmatch(LABEL_KEY, key.lower()):
            yield (*path, "annotations"), f"{shorten(key)} is not an annotation key; write {_KEY}"


def _count_mistakes(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    for field in target.counted:
        count = at(body, "spec", field)
        if isinstance(count, int) and count < 0:
            yield ("spec", field), f"{shorten(count)}: write a whole number from 0 up"


def _selector_mistakes(selector: Any, template: Any) -> Mistakes:
    labels = entries(at(template, "metadata", "labels"))
    for key, value in entries(selector).items():
        if isinstance(value, str) and labels.get(key) != value:
            found = f"has {shorten(labels[key])}" if key in labels else "lacks it"
            advice = f"spec.template.metadata.labels {found}, and no pod would be selected; write the same in both"
            yield ("spec", "selector", "matchLabels", key), f"{shorten(value)}: {advice}"


def _restart_policy_mistakes(pod: Any, path: Steps) -> Mistakes:
    policy = entries(pod).get("restartPolicy")
    if pod and policy in (None, ""):
        yield path, "required of a Job; write Never or OnFailure"
    elif policy == "Always":
        yield path, "'Always': pods of a Job must end; write Never or OnFailure"


def _resource_mistakes(pod: Any, path: Steps) -> Mistakes:
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(elements(at(pod, kind))):
            yield from _extended_mistakes(at(container, "resources"), (*path, kind, index, "resources"))
    for part in ("limits", "requests"):
        for name in entries(at(pod, "resources", part)):
            if is_extended(name):
                advice = "not counted for the pod as a whole; write it under resources of a container"
                yield (*path, "resources", part, name), advice


def _extended_mistakes(resources: Any, path: Steps) -> Mistakes:
    """Yields mistakes in extended resources, such as GPUs: pods get whole ones, and share none."""
    limits, requests = (_extended_amounts(at(resources, part)) for part in ("limits", "requests"))
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            # The schema refuses what is not a quantity.
            if is_quantity(amount) and whole(amount) is None:
                yield (*path, part, name), f"{shorten(amount)}: write a whole number from 0 up"
    for name, amount in requests.items():
        if name not in limits:
            yield (*path, "limits", name), "required, since requests has it; write it under limits, which is enough"
        elif None not in (whole(amount), whole(limits[name])) and whole(amount) != whole(limits[name]):
            advice = f"the limit is {shorten(limits[name])}; write the limit alone, or the same in both"
            yield (*path, "requests", name), f"{shorten(amount)}: {advice}"


def _extended_amounts(amounts: Any) -> dict[str, Any]:
    return {name: amount for name, amount in entries(amounts).items() if is_extended(name)}
