"""Whatever compute classes are accepted by the settings, the stand-in for Google Cloud takes what follows from them."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clusters.auto_provisioning import auto_provisioning
from clusters.compute_classes import class_spec
from clusters.node_config import node_config
from clusters.nodes.nodes import nodes_of
from clusters.spec import Cluster, check_clusters
from local.gcp.compute_classes import compute_class_crd
from problems import check_models
from tests.unit.local.google import CLUSTER, POOL, Google, changed

MACHINES: list[dict[str, Any]] = [
    {"machine_type": "g2-standard-8"},
    {"machine_type": "n1-standard-8", "gpu": {"type": "nvidia-tesla-t4", "count": 2}},
    {"machine_type": "a3-highgpu-8g"},
    {"machine_family": "n2", "min_cores": 8, "min_memory_gb": 16},
    {"gpu": {"type": "nvidia-l4", "count": 4}},
    {"tpu": {"type": "tpu-v6e-slice", "count": 4, "topology": "2x4"}},
    {"machine_type": "g2-standard-9"},
    {},
]
WAYS = st.fixed_dictionaries(
    {},
    optional={
        "spot": st.booleans(),
        "flex_start": st.booleans(),
        "reservation": st.sampled_from(["any", "r", "projects/p/reservations/r/reservationBlocks/b"]),
        "zones": st.lists(st.sampled_from(["us-west1-a", "us-west1-b", "us-east1-b"]), max_size=2, unique=True),
        "max_run_hours": st.integers(1, 168),
        "max_pods_per_node": st.integers(8, 256),
        "pools": st.just(["own"]),
    },
)
Plain = dict[str, Any]


def _merged(machine: Plain, way: Plain) -> Plain:
    return machine | way


PRIORITY: st.SearchStrategy[Plain] = st.builds(_merged, st.sampled_from(MACHINES), WAYS) | st.just({"pools": ["own"]})
CLASS: st.SearchStrategy[Plain] = st.fixed_dictionaries(
    {"priorities": st.lists(PRIORITY, max_size=3)},
    optional={
        "when_unsatisfiable": st.sampled_from(["DoNotScaleUp", "ScaleUpAnyway"]),
        "create_pools": st.booleans(),
        "migrate": st.booleans(),
    },
)
NAMES = st.sampled_from(["fast", "slow", "gke-fast", "default"])
LIMIT = st.fixed_dictionaries({"max": st.integers(1, 3000)}, optional={"min": st.integers(0, 40)})
RESOURCES = ("cpu", "memory", "nvidia-l4", "nvidia-h100-80gb", "nvidia-tesla-t4", "tpu-v6e-slice", "nvidia-new")
AUTO = st.none() | st.fixed_dictionaries(
    {"limits": st.dictionaries(st.sampled_from(RESOURCES), LIMIT)},
    optional={
        "enabled": st.booleans(),
        "zones": st.lists(st.sampled_from(["us-west1-a", "us-west1-b"]), max_size=2, unique=True),
        "disk_gb": st.integers(20, 500),
        "profile": st.sampled_from(["BALANCED", "OPTIMIZE_UTILIZATION"]),
    },
)
OWN = st.fixed_dictionaries(
    {"machine_type": st.just("g2-standard-8")},
    optional={
        "compute_class": st.sampled_from(["fast", "slow"]),
        "image_streaming": st.booleans(),
        "preload": st.lists(st.sampled_from(["projects/p/global/images/a", "projects/p/global/images/b"]), max_size=2),
    },
)


@given(st.dictionaries(NAMES, CLASS, max_size=2), AUTO, OWN)
def test_what_the_settings_accept_google_takes(
    tmp_path_factory: Any, classes: dict[str, Any], auto: Any, own: dict[str, Any]
) -> None:
    plain = {"region": "us-west1", "slot": 0, "role": "test", "node_pools": {"own": own}, "compute_classes": classes}
    problems: list[Any] = []
    found = check_models("clusters", {"a": plain | {"auto_provisioning": auto}}, Cluster, "a", problems)
    problems += check_clusters(found)
    assert all(str(each) for each in problems)
    if problems:
        return
    google, cluster = Google(Path(tmp_path_factory.getbasetemp())), found["a"]
    arguments: Any = auto_provisioning(cluster, "nodes@toys.iam.gserviceaccount.com")
    if arguments:
        inputs = changed(CLUSTER, {"clusterAutoscaling": _camel(arguments["cluster_autoscaling"])})
        assert google.check(CLUSTER, inputs) == {}
    config = node_config(cluster.node_pools["own"], "nodes@toys.iam.gserviceaccount.com", {}, {})
    pool = changed(POOL, {"nodeConfig": _camel(config)})
    assert google.check(POOL, pool) == {}
    for each in cluster.compute_classes.values():
        _valid(class_spec(each, {"role": "test"}), _SPEC)
    assert all(each.most >= 0 for each in nodes_of(cluster))


_SPEC = compute_class_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def _camel(value: Any) -> Any:
    """Arguments as Pulumi's engine has them; the keys of labels and of limits stay as they are."""
    if isinstance(value, list):
        return [_camel(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return value
    return {
        _name(key): each if key in ("labels", "resource_labels") else _camel(each)
        for key, each in value.items()  # pyright: ignore[reportUnknownVariableType]
    }


def _name(key: Any) -> str:
    first, *others = str(key).split("_")
    return "".join([first, *(each.capitalize() for each in others)])


def _valid(value: Any, schema: Any) -> None:
    """Whether a value is as a schema of Kubernetes says, without its rules; unknown fields are none."""
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    assert isinstance(value, types[schema["type"]]), (value, schema)
    assert value in schema.get("enum", [value])
    if isinstance(value, dict):
        for key, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            below = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            assert below, key
            _valid(each, below)
    for each in value if isinstance(value, list) else []:  # pyright: ignore[reportUnknownVariableType]
        _valid(each, schema["items"])
