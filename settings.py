"""A stack's settings: every check that needs no cloud, told all at once before anything is created."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.runtime import get_config_env
from pulumi.runtime.config import CONFIG

from clusters.spec import Cluster, check_clusters, member_labels
from federation.copies import check_placement
from federation.manifests import Manifest, ManifestError, read_manifests
from federation.overrides import check_overrides
from federation.spec import Federation, Workload, check_federation, check_objects, check_workload
from problems import DNS_LABEL, NAME, Problem, SettingsError, check_model, check_models, one_of

SECTIONS = ("clusters", "federation", "workloads")


@dataclass(frozen=True)
class Settings:
    """A stack's settings, checked, with the objects of each workload's manifests."""

    clusters: Mapping[str, Cluster]
    federation: Federation
    workloads: Mapping[str, Workload]
    manifests: Mapping[str, Sequence[Manifest]]


def load() -> Settings:
    """Reads the settings of the running stack.

    Raises pulumi.RunError, which ends the run with its message and no stack trace.
    """
    prefix = f"{pulumi.get_project()}:"
    keys = [key.removeprefix(prefix) for key in {*CONFIG.get(), *get_config_env()} if key.startswith(prefix)]
    config = pulumi.Config()
    try:
        raw = {key: _value(config.get(key)) for key in keys}
        settings = parse(raw, Path.cwd(), pulumi.Config("gcp").get("project"))
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    if "persistentvolumeclaims" in settings.federation.types:
        # KubeFed issue 1481.
        pulumi.log.warn(
            "federation.types: KubeFed never leaves a bound persistentvolumeclaim alone, since each member writes a "
            "volume of its own into it; make claims in the members, or by a StatefulSet"
        )
    return settings


def parse(raw: Mapping[str, Any], folder: Path, project: str | None = "project") -> Settings:
    """Checks plain values; manifests are looked for in `folder`. Raises SettingsError."""
    problems = [
        Problem(key, None, f"unknown setting; write {one_of(key, SECTIONS)}") for key in sorted({*raw} - {*SECTIONS})
    ]
    if not project:
        problems.append(Problem("gcp:project", None, "required; write the id of your Google Cloud project"))
    if not raw.get("clusters"):
        problems.append(Problem("clusters", None, "required; write at least one cluster, as the README shows"))
    clusters = check_models("clusters", raw.get("clusters") or {}, Cluster, NAME, problems)
    problems.extend(check_clusters(clusters))

    names = list(cast(Mapping[str, Any], raw["clusters"])) if isinstance(raw.get("clusters"), Mapping) else []
    federation = check_model("federation", raw.get("federation") or {}, Federation, problems)
    if federation:
        problems.extend(check_federation(federation, names))

    workloads = check_models("workloads", raw.get("workloads") or {}, Workload, DNS_LABEL, problems)
    labels = {name: member_labels(cluster) for name, cluster in clusters.items()}
    types = (federation or Federation(host="")).targets()
    manifests: dict[str, Sequence[Manifest]] = {}
    for name, workload in workloads.items():
        setting = f"workloads.{name}"
        problems.extend(check_workload(setting, workload, names))
        try:
            manifests[name] = read_manifests(folder, workload.manifests, workload.namespace, types)
        except ManifestError as error:
            problems.extend(Problem(f"{setting}.manifests", workload.manifests, text) for text in error.problems)
        if len(labels) == len(names):
            problems.extend(check_placement(setting, workload.placement, manifests.get(name, []), labels))
            problems.extend(check_overrides(setting, workload, manifests.get(name, []), labels))
    problems.extend(check_objects(workloads, manifests))

    if problems or federation is None:
        raise SettingsError(problems)
    return Settings(clusters, federation, workloads, manifests)


def _value(text: str | None) -> Any:
    """A setting as plain values; text that is no JSON stands for itself, and its model refuses it."""
    try:
        return json.loads(text or "null")
    except json.JSONDecodeError:
        return text
