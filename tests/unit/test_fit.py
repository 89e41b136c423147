"""Whether a pod fits on a pool: one rule of the scheduler or of GKE after another."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.nodes.nodes import Nodes, Taint
from placement.fit.judge import Verdict, doubts, judge, miss, nearest_miss
from placement.fit.needs import conflict, needs
from placement.fit.selectors import Requirement, holds
from placement.fit.tolerations import of_pod, tolerates
from tests.objects import paths

GI = 2**30
GPU, TPU = "nvidia.com/gpu", "google.com/tpu"
ACCELERATOR = "cloud.google.com/gke-accelerator"
SPOT = "cloud.google.com/gke-spot"
SHARING = "cloud.google.com/gke-gpu-sharing-strategy"
CLASS = "cloud.google.com/compute-class"
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
HOST = "kubernetes.io/hostname"
BASE = {
    REGION: "europe-west4",
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/os": "linux",
    "node.kubernetes.io/instance-type": "e2-standard-4",
    "role": "serving",
}
ZONES = ("europe-west4-a", "europe-west4-b", "europe-west4-c")


def pool(
    name: str = "cpus",
    labels: dict[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
    zones: tuple[str, ...] = ZONES,
    unsure: tuple[str, ...] = (),
    amounts: dict[str, int] | None = None,
) -> Nodes:
    has = {"cpu": 3920, "memory": 13 * GI, "ephemeral-storage": 40 * GI, "pods": 110} | (amounts or {})
    return Nodes(name, BASE | (labels or {}), has, 4, taints, zones, frozenset(unsure))


def gpus(name: str, count: int, kind: str = "nvidia-l4", labels: dict[str, str] | None = None, *taints: Taint) -> Nodes:
    amounts = {"cpu": 7910, "memory": 28 * GI, GPU: count}
    present = Taint(GPU, "present", "NoSchedule")
    return pool(name, {ACCELERATOR: kind} | (labels or {}), (present, *taints), amounts=amounts)


def pod(requests: Any = None, **spec: Any) -> dict[str, Any]:
    return {"containers": [{"name": "a", "resources": {"requests": requests or {}}}], **spec}


def affinity(*terms: Any) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def term(*expressions: tuple[Any, ...]) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": how, "values": values} for key, how, *values in expressions]}


def text_of(spec: Any, nodes: Nodes, *known: str) -> str:
    found = miss(spec, nodes, known)
    return found.text if found else ""


@pytest.mark.parametrize(
    ("operator", "values", "value", "expected"),
    [
        ("In", ("a", "b"), "b", True),
        ("In", ("a",), "c", False),
        ("In", ("a",), None, False),
        ("NotIn", ("a",), "b", True),
        ("NotIn", ("a",), "a", False),
        ("NotIn", ("a",), None, True),
        ("Exists", (), "", True),
        ("Exists", (), None, False),
        ("DoesNotExist", (), None, True),
        ("DoesNotExist", (), "a", False),
        ("Gt", ("4",), "5", True),
        ("Gt", ("4",), "4", False),
        ("Gt", ("4",), None, False),
        ("Gt", ("4",), "many", False),
        ("Gt", ("many",), "4", False),
        ("Gt", ("-2",), "-1", True),
        ("Lt", ("4",), "3", True),
        ("Lt", ("4",), "4", False),
        ("Lt", ("4",), None, False),
        ("Lt", (), "3", False),
    ],
)
def test_every_operator(operator: str, values: tuple[str, ...], value: str | None, expected: bool) -> None:
    assert holds(Requirement("key", operator, values), value) is expected


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, ""),
        ({"nodeSelector": {"role": "serving"}}, ""),
        ({"nodeSelector": {"role": "training"}}, "pool cpus has label role=serving, the pod selects role=training"),
        ({"nodeSelector": {SPOT: "true"}}, f"pool cpus has no label {SPOT}, the pod selects {SPOT}=true"),
        ({"affinity": affinity(term(("role", "In", "serving"), ("kubernetes.io/os", "In", "linux")))}, ""),
        (
            {"affinity": affinity(term(("role", "In", "serving"), ("kubernetes.io/os", "NotIn", "linux")))},
            "pool cpus has label kubernetes.io/os=linux, the pod selects kubernetes.io/os not in (linux)",
        ),
        ({"affinity": affinity(term(("role", "In", "x")), term(("role", "Exists")))}, ""),
        (
            {"affinity": affinity(term(("role", "In", "x", "y")), term((ACCELERATOR, "In", "nvidia-l4")))},
            "pool cpus has label role=serving, the pod selects role in (x, y)",
        ),
        ({"affinity": affinity(term((SPOT, "DoesNotExist")))}, ""),
        ({"affinity": affinity(term((SPOT, "NotIn", "true")))}, ""),
        ({"affinity": affinity(term((SPOT, "Exists")))}, f"pool cpus has no label {SPOT}, the pod selects {SPOT}"),
        (
            {"nodeSelector": {"role": "x"}, "affinity": affinity(term(("role", "Exists")))},
            "pool cpus has label role=serving, the pod selects role=x",
        ),
        # A term without requirements matches nothing, nor does an affinity without terms.
        ({"affinity": affinity({}, term(("role", "Exists")))}, ""),
        ({"affinity": affinity({})}, "the pod's node affinity has no term that a node can match"),
        ({"affinity": affinity()}, "the pod's node affinity has no term that a node can match"),
        # What is preferred refuses nothing.
        ({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}}, ""),
    ],
)
def test_labels_are_as_the_pod_selects(spec: dict[str, Any], text: str) -> None:
    assert text_of(pod(**spec), pool()) == text
    assert doubts(pod(**spec), [pool()]) == []


@pytest.mark.parametrize(
    ("requirement", "doubt"),
    [
        (("example.com/tier", "In", "gold"), "label example.com/tier=gold, which the settings do not give"),
        (("example.com/tier", "Exists"), "label example.com/tier, which the settings do not give"),
        (("example.com/tier", "Gt", "3"), "label example.com/tier > 3, which the settings do not give"),
        (("example.com/tier", "NotIn", "gold"), ""),
        (("example.com/tier", "DoesNotExist"), ""),
        ((CLASS, "In", "autopilot"), f"label {CLASS}=autopilot, which the settings do not give"),
        ((CLASS, "In", "gke-small"), f"label {CLASS}=gke-small, which the settings do not give"),
        (("cloud.google.com/gke-boot-disk", "NotIn", "x"), "cloud.google.com/gke-boot-disk not in (x), which"),
        ((HOST, "In", "node-1"), f"label {HOST}=node-1, which the settings do not give"),
        (("beta.kubernetes.io/arch", "In", "amd64"), "label beta.kubernetes.io/arch=amd64"),
    ],
)
def test_an_unknown_label_is_a_doubt_and_no_miss(requirement: tuple[str, ...], doubt: str) -> None:
    spec = pod(affinity=affinity(term(requirement)))
    assert text_of(spec, pool()) == ""
    assert [doubt in each for each in doubts(spec, [pool()])] == ([True] if doubt else [])


def test_an_alternative_that_surely_holds_leaves_no_doubt() -> None:
    terms = affinity(term(("example.com/tier", "In", "gold")), term(("role", "Exists")))
    assert doubts(pod(affinity=terms), [pool()]) == []
    unknown = affinity(term(("example.com/tier", "In", "gold")), term(("example.com/tier", "In", "silver")))
    assert doubts(pod(affinity=unknown), [pool()]) == ["label example.com/tier=gold, which the settings do not give"]


def test_what_neither_an_older_name_nor_its_absence_meets_is_a_miss() -> None:
    assert "instance-type" in text_of(pod(nodeSelector={"beta.kubernetes.io/instance-type": "a2-highgpu-1g"}), pool())


def test_a_label_that_the_settings_give_elsewhere_is_absent_here() -> None:
    spec = pod(nodeSelector={"tier": "gold"})
    assert text_of(spec, pool(), "tier") == "pool cpus has no label tier, the pod selects tier=gold"
    gold = pool("gold", {"tier": "gold"})
    assert doubts(spec, [pool(), gold]) == [], "it surely fits on gold"
    assert text_of(pod(nodeSelector={CLASS: "fast"}), pool("slow", {CLASS: "slow"}))


def test_a_node_that_exists_has_no_other_labels() -> None:
    live = pool("cpus", {HOST: "node-1"})
    assert text_of(pod(nodeSelector={"example.com/tier": "gold"}), live)
    assert text_of(pod(nodeSelector={CLASS: "fast"}), live)
    assert text_of(pod({"example.com/dongle": 1}), live) == "cpus has no example.com/dongle, the pod requests 1"


def test_fields_of_a_node_cannot_be_judged() -> None:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}
    spec = pod(affinity=affinity(by_name))
    assert text_of(spec, pool()) == ""
    assert doubts(spec, [pool()]) == ["the node's metadata.name=node-1"]


@pytest.mark.parametrize("key", [ZONE, "topology.gke.io/zone"])
@pytest.mark.parametrize(
    ("how", "values", "zones", "text", "doubted"),
    [
        ("In", ["europe-west4-a"], ZONES, "", False),
        ("In", ["europe-west4-d", "europe-west4-c"], ZONES, "", False),
        (
            "In",
            ["us-west1-b"],
            ZONES[:2],
            "pool cpus is in europe-west4-a, europe-west4-b, not in zone us-west1-b",
            False,
        ),
        ("NotIn", ["europe-west4-a"], ZONES, "", False),
        ("NotIn", ["europe-west4-a"], ZONES[:1], "not in a zone with", False),
        ("Exists", [], ZONES, "", False),
        ("DoesNotExist", [], ZONES, "not in a zone with", False),
        ("In", ["europe-west4-a"], (), "", True),
        ("NotIn", ["europe-west4-a"], (), "", True),
        ("NotIn", ["us-west1-a"], (), "", False),
        ("In", ["europe-west40-a"], (), "is in zones of europe-west4, not in zone europe-west40-a", False),
    ],
)
def test_some_zone_of_the_pool_is_as_required(
    key: str, how: str, values: list[str], zones: tuple[str, ...], text: str, doubted: bool
) -> None:
    spec = pod(affinity=affinity(term((key, how, *values))))
    found = text_of(spec, pool(zones=zones))
    assert text in found
    assert bool(found) == bool(text)
    expected = ["the zones of pool cpus, which Google chooses"] if doubted else []
    assert doubts(spec, [pool(zones=zones)]) == expected


def test_all_requirements_are_met_in_one_zone() -> None:
    spec = pod(nodeSelector={ZONE: ZONES[0]}, affinity=affinity(term((ZONE, "NotIn", ZONES[0]))))
    assert text_of(spec, pool())
    either = pod(affinity=affinity(term((ZONE, "In", ZONES[0])), term((ZONE, "In", ZONES[1]))))
    assert judge(needs(either), pool()).zones == frozenset(ZONES[:2])
    assert judge(needs(pod()), pool()).zones is None
    assert text_of(pod(nodeSelector={ZONE: ZONES[0]}), pool(labels={ZONE: ZONES[1]})), "a node that exists is in one"


TAINT = Taint("team", "red", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "team", "operator": "Equal", "value": "red", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "red"}, True),
        ({"key": "team", "value": "blue"}, False),
        ({"key": "team"}, False),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, True),
        ({"operator": "Exists", "effect": "PreferNoSchedule"}, False),
        ({"key": "team", "operator": "Gt", "value": "red"}, None),
    ],
)
def test_every_toleration(toleration: dict[str, str], expected: bool | None) -> None:
    assert tolerates(of_pod(pod(tolerations=[toleration]), [()]), TAINT) is expected


@pytest.mark.parametrize(("effect", "text"), [("NoExecute", "taint team=red"), ("PreferNoSchedule", "")])
def test_taints_refuse_by_their_effect(effect: str, text: str) -> None:
    assert text in text_of(pod(), pool(taints=(Taint("team", "red", effect),)))
    assert bool(text_of(pod(), pool(taints=(Taint("team", "red", effect),)))) == bool(text)


def test_tolerations_that_gke_adds() -> None:
    l4, tpus = gpus("l4", 1), pool("v6e", taints=(Taint(TPU, "present", "NoSchedule"),), amounts={TPU: 4})
    assert text_of(pod(), l4) == "taint nvidia.com/gpu=present of pool l4 is not tolerated"
    assert text_of(pod({GPU: 1}), l4) == ""
    assert text_of(pod({GPU: 0}), l4) == "", "the resource's name is enough"
    assert text_of({"containers": [{}], "initContainers": [{"resources": {"limits": {GPU: 1}}}]}, l4) == ""
    assert text_of(pod({TPU: 4}), tpus) == ""
    assert "is not tolerated" in text_of(pod({GPU: 1}), gpus("l4", 1, "nvidia-l4", {}, Taint(GPU, "", "NoExecute")))
    arm = pool("arm", {"kubernetes.io/arch": "arm64"}, (Taint("kubernetes.io/arch", "arm64", "NoSchedule"),))
    assert text_of(pod(), arm) == "taint kubernetes.io/arch=arm64 of pool arm is not tolerated"
    assert text_of(pod(nodeSelector={"kubernetes.io/arch": "arm64"}), arm) == ""
    assert text_of(pod(affinity=affinity(term(("kubernetes.io/arch", "In", "arm64")))), arm) == ""
    assert text_of(pod(affinity=affinity(term(("kubernetes.io/arch", "In", "arm64", "amd64")))), arm)
    assert text_of(pod(affinity=affinity(term(("kubernetes.io/arch", "In", "arm64")), term(("role", "Exists")))), arm)


def test_only_pods_that_wait_for_a_provisioning_request_fit_on_a_queued_pool() -> None:
    taint = Taint("cloud.google.com/gke-queued", "true", "NoSchedule")
    queued = pool("queued", taints=(taint,))
    assert text_of(pod(), queued) == (
        "pool queued is queued, and the pod waits for no ProvisioningRequest: write label kueue.x-k8s.io/queue-name "
        "on its object, or annotation autoscaling.x-k8s.io/consume-provisioning-request on its pods"
    )
    assert judge(needs(pod(), queued=True), queued) == Verdict()
    # A pod that tolerates the taint can run on a node that exists, and makes none.
    tolerant = pod(tolerations=[{"key": taint.key, "operator": "Exists"}])
    assert text_of(tolerant, queued) == ""
    assert doubts(tolerant, [queued]) == ["whether a ProvisioningRequest adds nodes to pool queued"]
    assert doubts(tolerant, [pool("queued", {HOST: "node-1"}, (taint,))]) == []
    assert text_of(pod(), pool("queued", {HOST: "node-1"}, (taint,)))


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        ({"cpu": "3920m"}, ""),
        ({"cpu": "3.9201"}, "cpus has 3.92 cpu on a node, the pod requests 3.921"),
        ({"cpu": 16}, "cpus has 3.92 cpu on a node, the pod requests 16"),
        ({"memory": "13Gi"}, ""),
        ({"memory": "64Gi"}, "cpus has 13Gi memory on a node, the pod requests 64Gi"),
        ({"memory": 13 * GI + 1}, "cpus has 13958643712 memory on a node, the pod requests 13958643713"),
        ({"memory": "13313Mi"}, "cpus has 13Gi memory on a node, the pod requests 13.001Gi"),
        ({"ephemeral-storage": "100Gi"}, "cpus has 40Gi ephemeral-storage on a node, the pod requests 100Gi"),
        ({"hugepages-2Mi": "64Mi"}, "cpus has no hugepages-2Mi, the pod requests 64Mi"),
        ({GPU: 1}, "cpus has no nvidia.com/gpu, the pod requests 1"),
    ],
)
def test_a_node_has_what_the_pod_requests(requests: dict[str, Any], text: str) -> None:
    assert text_of(pod(requests), pool()) == text


def test_a_node_without_room_for_pods_takes_none() -> None:
    assert text_of(pod(), pool(amounts={"pods": 0}))


def test_a_resource_that_no_settings_give_is_a_doubt() -> None:
    assert text_of(pod({"example.com/dongle": 1}), pool()) == ""
    assert doubts(pod({"example.com/dongle": 1}), [pool()]) == ["example.com/dongle, which the settings do not give"]
    assert text_of(pod({"example.com/dongle": 1}), pool(), "example.com/dongle")
    assert text_of(pod({"example.com/dongle": 2}), pool(amounts={"example.com/dongle": 1}))


def test_what_is_unsure_never_refuses() -> None:
    unsure = pool(unsure=("memory", "role", ZONE))
    assert text_of(pod({"memory": "64Gi"}), unsure) == ""
    assert doubts(pod({"memory": "1Gi"}), [unsure]) == ["how much memory pool cpus has"]
    assert text_of(pod(nodeSelector={"role": "x"}), unsure) == ""
    assert doubts(pod(nodeSelector={"role": "x"}), [unsure]) == [
        "label role=x, whose value on pool cpus is not certain"
    ]
    assert text_of(pod(nodeSelector={ZONE: "us-west1-a"}), unsure) == ""
    assert doubts(pod(nodeSelector={ZONE: "us-west1-a"}), [unsure]) == ["the zones of pool cpus"]


SHARED = "pool l4 shares its GPUs: a container can request 1 nvidia.com/gpu, and one requests 2"


@pytest.mark.parametrize(
    ("labels", "count", "text"),
    [
        ({}, 4, ""),
        ({SHARING: "time-sharing"}, 4, SHARED),
        ({SHARING: "TIME_SHARING"}, 4, SHARED),
        ({SHARING: "mps", "cloud.google.com/gke-max-shared-clients-per-gpu": "4"}, 4, ""),
        ({SHARING: "mps", "cloud.google.com/gke-max-shared-clients-per-gpu": "4"}, 8, SHARED),
        ({"cloud.google.com/gke-gpu-partition-size": "1g.5gb"}, 7, SHARED.replace("shares", "partitions")),
    ],
)
def test_a_container_can_have_one_shared_gpu(labels: dict[str, str], count: int, text: str) -> None:
    l4 = gpus("l4", count, labels=labels)
    assert text_of(pod({GPU: 2}), l4) == text
    one = {"resources": {"requests": {GPU: 1}}}
    assert text_of({"containers": [one, one]}, l4) == "", "a pod of two containers has one each"


@pytest.mark.parametrize(
    ("spec", "doubt"),
    [
        (
            {"resourceClaims": [{"name": "a"}]},
            "resourceClaims: ResourceClaim None is not among the objects of the workload",
        ),
        ({"nodeName": "node-1"}, "nodeName node-1"),
        ({"schedulingGates": [{"name": "a"}]}, "schedulingGates"),
        ({"schedulerName": "volcano"}, "schedulerName volcano"),
        ({"runtimeClassName": "gvisor"}, "runtimeClassName gvisor"),
        (
            {"topologySpreadConstraints": [{"topologyKey": HOST, "maxSkew": 1}]},
            f"topologySpreadConstraints over {HOST}",
        ),
        ({"schedulerName": "default-scheduler"}, ""),
        ({"topologySpreadConstraints": [{"topologyKey": HOST, "whenUnsatisfiable": "ScheduleAnyway"}]}, ""),
    ],
)
def test_what_cannot_be_judged_is_a_doubt(spec: dict[str, Any], doubt: str) -> None:
    assert text_of(pod(**spec), pool()) == ""
    assert doubts(pod(**spec), [pool()]) == ([doubt] if doubt else [])


def avoiding(labels: dict[str, str], **more: Any) -> dict[str, Any]:
    one = {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}} | more
    return pod(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}})


def test_pods_that_cannot_share_a_node() -> None:
    worker, other = needs(avoiding({"app": "a"}), {"app": "a"}), needs(pod(), {"app": "b"})
    plain = needs(pod(), {"app": "a"})
    assert conflict(worker, worker)
    assert worker.doubts == ()
    assert not conflict(worker, other)
    assert conflict(worker, plain)
    assert conflict(plain, worker), "those that are there keep others away, too"
    assert not conflict(worker, needs(pod(), {"app": "a"}, "elsewhere"))
    outside = needs(avoiding({"app": "b"}), {"app": "a"})
    assert not conflict(outside, outside)
    assert outside.doubts == (f"podAntiAffinity over {HOST}",)
    by_zone = needs(avoiding({"app": "a"}, topologyKey=ZONE), {"app": "a"})
    assert not conflict(by_zone, by_zone)
    assert by_zone.doubts == (f"podAntiAffinity over {ZONE}",)
    assert needs(avoiding({"app": "a"}, namespaces=["b"]), {"app": "a"}).doubts == (f"podAntiAffinity over {HOST}",)
    together = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ZONE}]}}
    assert needs(pod(affinity=together)).doubts == (f"podAffinity over {ZONE}",)


def with_port(port: dict[str, Any], **spec: Any) -> Any:
    return needs({"containers": [{"ports": [port]}], **spec})


def test_a_port_of_the_node_is_taken_once() -> None:
    port = with_port({"containerPort": 80, "hostPort": 8080})
    assert conflict(port, port)
    assert not conflict(port, with_port({"containerPort": 80, "hostPort": 8081}))
    assert not conflict(port, with_port({"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}))
    assert not conflict(*[with_port({"containerPort": 80})] * 2)
    assert conflict(port, with_port({"containerPort": 8080}, hostNetwork=True))
    sidecar = {"restartPolicy": "Always", "ports": [{"hostPort": 8080}]}
    assert conflict(port, needs({"containers": [{}], "initContainers": [sidecar]}))


SYSTEM, L4, L4X4, H100 = pool("system"), gpus("l4", 1), gpus("l4x4", 4), gpus("h100", 8, "nvidia-h100-80gb")


@pytest.mark.parametrize(
    ("spec", "pools", "text"),
    [
        (pod({GPU: 8}), [SYSTEM, L4], "no pool has 8 nvidia.com/gpu on a node (l4 has 1)"),
        (pod({GPU: 8}), [L4, L4X4, SYSTEM], "no pool has 8 nvidia.com/gpu on a node (l4x4 has 4)"),
        (pod({GPU: 1}), [SYSTEM], "no pool has nvidia.com/gpu"),
        (pod({TPU: 4}), [SYSTEM, L4], "no pool has google.com/tpu"),
        (pod({GPU: 8}), [L4, H100], ""),
        (
            pod({GPU: 8}, nodeSelector={ACCELERATOR: "nvidia-l4"}),
            [SYSTEM, L4, H100],
            "l4 has 1 nvidia.com/gpu on a node, the pod requests 8",
        ),
        (
            pod({GPU: 1}, nodeSelector={ACCELERATOR: "nvidia-b200"}),
            [SYSTEM, L4],
            "no pool has nvidia-b200 (l4 has nvidia-l4)",
        ),
        (pod(nodeSelector={ZONE: "us-west1-b"}), [SYSTEM, L4], "no pool is in zone us-west1-b"),
        (pod({"cpu": 16}), [SYSTEM, L4], "system has 3.92 cpu on a node, the pod requests 16"),
        (pod({"cpu": 16, GPU: 1}), [SYSTEM, L4], "l4 has 7.91 cpu on a node, the pod requests 16"),
        (
            pod({"cpu": 1}, nodeSelector={ACCELERATOR: "nvidia-l4"}),
            [SYSTEM, L4],
            "taint nvidia.com/gpu=present of pool l4 is not tolerated",
        ),
        (pod(nodeSelector={SPOT: "true"}), [SYSTEM], f"no pool has {SPOT}=true"),
        (pod(), [], "no pool"),
    ],
)
def test_the_nearest_miss_is_named(spec: dict[str, Any], pools: list[Nodes], text: str) -> None:
    assert nearest_miss(spec, pools) == text


ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["In", "Gt", HOST, ZONE, GPU]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["key", "operator", "values", "matchExpressions", "matchLabels", "labelSelector", "topologyKey"]
            )
            | st.integers(),
            below,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.data())
def test_no_pod_is_too_odd(data: st.DataObject) -> None:
    spec = pod({GPU: 1, "cpu": 1}, nodeSelector={ZONE: ZONES[0]}, tolerations=[{"key": "a"}], hostNetwork=True)
    spec["containers"][0]["ports"] = [{"hostPort": 80}]
    spec |= {"affinity": affinity(term(("role", "Gt", "1"))) | avoiding({"a": "b"})["affinity"]}
    spec["topologySpreadConstraints"], spec["resources"] = [{}], {"limits": {"cpu": 1}}
    odd: Any = spec
    *parents, last = data.draw(st.sampled_from(paths(spec)))
    for key in parents:
        odd = odd[key]
    odd[last] = data.draw(ODD)
    labels = data.draw(ODD)
    assert conflict(needs(spec, labels), needs(spec, labels)) in (True, False)
    assert isinstance(nearest_miss(spec, [SYSTEM, L4]), str)
    assert isinstance(doubts(spec, [SYSTEM, L4]), list)
