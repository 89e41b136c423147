"""How the pods of an object are selected by their labels, and which of them run together.

Operators add labels of their own, and templates need not have any. It does not know what the pods may reach:
federation/network_policies.py does.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from placement.api.lookup import at, entries
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups

WORKLOAD_LABEL = "geo-federation/workload"
"""The label, with a workload's name for a value, of pods that could not be selected otherwise."""

# A RayJob's cluster has a generated name, and its pods no label of the RayJob: ray.io/originated-from-cr-name is on the
# RayCluster, the Services and the submitter's Job alone. That Job has the RayJob's name.
# Source: labelPod and createNewK8sJob of KubeRay 1.5.0.
_ALSO = {"rayjobs.ray.io": "batch.kubernetes.io/job-name"}
# Their operators make several pods even where the manifest has one template.
_TOGETHER = ("rayjobs.ray.io", "rayservices.ray.io")


def with_pod_labels(workload: str, manifest: Manifest) -> Manifest:
    """The object, with a label of the workload on each of its pod templates that neither it nor an operator labels."""
    if manifest.type.pod_kind.label:
        return manifest
    bare = [group.path for group in pod_groups(manifest) if not group.labels]
    if not bare:
        return manifest
    body: Any = copy.deepcopy(manifest.body)
    for path in bare:
        template: Any = body
        for step in path:
            template = template[step]
        template["metadata"] = {**entries(template.get("metadata")), "labels": {WORKLOAD_LABEL: workload}}
    return replace(manifest, body=body)


def pod_labels(manifest: Manifest) -> list[Mapping[str, str]]:
    """The labels by which the pods of an object are selected: each has all of one entry. Without pods, there are none.

    A label with the object's name is used rather than those of the templates, which other objects' pods can have too.
    """
    label, also = manifest.type.pod_kind.label, _ALSO.get(manifest.type.config_name)
    of_templates = [group.labels for group in pod_groups(manifest) if group.labels]
    found: list[Mapping[str, str]] = [{label: manifest.name}] if label else of_templates
    found += [{also: manifest.name}] if also else []
    return [each for number, each in enumerate(found) if each not in found[:number]]


def run_together(manifest: Manifest) -> bool:
    """Whether several pods of an object do one work, and talk to each other on ports that they choose themselves."""
    name, label = manifest.type.config_name, manifest.type.pod_kind.label
    if name in _TOGETHER or (label and name != "jobs.batch"):
        return True
    return sum(group.count for group in pod_groups(manifest)) > 1


def calls_api_server(manifest: Manifest) -> bool:
    """Whether pods of an object make other pods: Spark's driver its executors, and Ray's autoscaler its workers."""
    name, spec = manifest.type.config_name, entries(manifest.body.get("spec"))
    if name == "sparkapplications.sparkoperator.k8s.io":
        return True
    of_cluster = {"rayclusters.ray.io": spec, "rayjobs.ray.io": at(spec, "rayClusterSpec")}
    of_cluster["rayservices.ray.io"] = at(spec, "rayClusterConfig")
    return at(of_cluster.get(name), "enableInTreeAutoscaling") is True
