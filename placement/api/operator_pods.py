"""Pods that an operator makes from fields of its own, and not from a pod template: what is known of them offline.

What else the operator adds is not known here; pod_kinds.py says what decides about it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from placement.api.lookup import at, elements, entries, texts

Steps = tuple[str | int, ...]
Made = tuple[Mapping[str, Any], Mapping[str, str], int, Steps]
"""A pod's spec and labels, how many of them run side by side, and the path of what they are made from."""


def _number(value: Any, default: int) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else default


def _train_job(body: Mapping[str, Any]) -> Iterator[Made]:
    """Kubeflow's TrainJob: its runtime has the templates, and the job the resources of each node.

    Overrides of the job named node are of the nodes' pods. Source: PodSpecOverride of Trainer 2.0.
    """
    trainer = entries(at(body, "spec", "trainer"))
    overrides = [
        entries(each)
        for each in elements(at(body, "spec", "podSpecOverrides"))
        if any(at(target, "name") == "node" for target in elements(at(each, "targetJobs")))
    ]
    own = {key: each[key] for each in overrides for key in _OVERRIDDEN if key in each}
    spec = {**own, "containers": [{"name": "node", "resources": entries(trainer.get("resourcesPerNode"))}]}
    yield spec, {}, _number(trainer.get("numNodes"), 1), ("spec", "trainer")


_OVERRIDDEN = ("serviceAccountName", "nodeSelector", "tolerations")


# Of a component of an InferenceService, what is neither part of a pod's spec nor a container.
# Source: ComponentExtensionSpec and PredictorSpec of serving.kserve.io/v1beta1, KServe 0.15.
_FRAMEWORKS = (
    *("model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm"),
    "paddle",
)


def _inference_service(body: Mapping[str, Any]) -> Iterator[Made]:
    """KServe's InferenceService: each component is a pod's spec with fields of its own, and a container for a model."""
    for part in ("predictor", "transformer", "explainer"):
        component = entries(at(body, "spec", part))
        if not component:
            continue
        models = [{**entries(component[key]), "name": "kserve-container"} for key in _FRAMEWORKS if key in component]
        labels = texts(component.get("labels"))
        count = _number(component.get("minReplicas"), 1)
        yield _pod_of(component, models), labels, count, ("spec", part)
        workers = entries(component.get("workerSpec"))
        if workers:
            # The head is one of the pipeline's nodes.
            size = max(2, _number(workers.get("pipelineParallelSize"), 2)) - 1
            yield _pod_of(workers, []), labels, count * size, ("spec", part, "workerSpec")


def _pod_of(component: Mapping[str, Any], models: list[dict[str, Any]]) -> dict[str, Any]:
    own = {key: value for key, value in component.items() if key not in (*_FRAMEWORKS, "workerSpec")}
    return {**own, "containers": [*elements(component.get("containers")), *models]}


def _spark_application(body: Mapping[str, Any]) -> Iterator[Made]:
    """Spark's driver and executors: cores, memory and GPUs in place of a template.

    Source: SparkPodSpec of sparkoperator.k8s.io/v1beta2, Spark operator 2.3, and its defaults.
    """
    spec = entries(at(body, "spec"))
    for part in ("driver", "executor"):
        own = entries(spec.get(part))
        if not own:
            continue
        count = 1
        if part == "executor":
            dynamic = entries(spec.get("dynamicAllocation"))
            at_first = [_number(dynamic.get(key), 0) for key in ("initialExecutors", "minExecutors")]
            count = _number(own.get("instances"), max(at_first) if dynamic.get("enabled") is True else 1)
        yield _spark_pod(spec, own), texts(own.get("labels")), count, ("spec", part)


def _spark_pod(spec: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    gpu = entries(own.get("gpu"))
    amounts = {"cpu": own.get("coreRequest") or own.get("cores") or 1, "memory": _spark_memory(spec, own)}
    limits = {gpu["name"]: gpu.get("quantity")} if isinstance(gpu.get("name"), str) else {}
    container = {"name": "spark", "resources": {"requests": amounts, "limits": limits}}
    pod: dict[str, Any] = {
        **entries(at(own, "template", "spec")),
        **{key: own[key] for key in ("affinity", "tolerations", "volumes") if key in own},
        "containers": [container, *elements(own.get("sidecars"))],
        "initContainers": elements(own.get("initContainers")),
        "nodeSelector": own.get("nodeSelector") or spec.get("nodeSelector") or {},
    }
    if own.get("serviceAccount"):
        pod["serviceAccountName"] = own["serviceAccount"]
    return pod


_MIB = 2**20
_UNITS = {"k": 2**10, "m": _MIB, "g": 2**30, "t": 2**40}


def _spark_memory(spec: Mapping[str, Any], own: Mapping[str, Any]) -> int:
    """The memory of a pod in bytes: the JVM's, by default 1 GiB, and what Spark adds to it.

    Source: spark.kubernetes.memoryOverheadFactor of Spark 4.0, and its least of 384 MiB.
    """
    memory = _java_bytes(own.get("memory"), 2**30)
    default = 0.1 if spec.get("type") in ("Java", "Scala") else 0.4
    try:
        factor = float(spec.get("memoryOverheadFactor") or default)
    except (TypeError, ValueError):
        factor = default
    return memory + _java_bytes(own.get("memoryOverhead"), max(int(memory * factor), 384 * _MIB))


def _java_bytes(text: Any, default: int) -> int:
    """An amount as Java writes it, such as 512m or 4g, in bytes; without a unit it is in MiB."""
    found = re.fullmatch(r"([0-9]{1,12})([kmgt]?)b?", str(text).strip().lower())
    return int(found[1]) * _UNITS.get(found[2], _MIB) if found else default


OPERATOR_PODS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Made]]] = {
    "inferenceservices.serving.kserve.io": _inference_service,
    "sparkapplications.sparkoperator.k8s.io": _spark_application,
    "trainjobs.trainer.kubeflow.org": _train_job,
}
