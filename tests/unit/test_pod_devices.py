"""Pods whose annotations name networks, or whose claims request devices, are placed where nodes have them."""

import json
from typing import Any

import pytest

from clusters.facts.device_classes import device_classes
from clusters.facts.table import rows
from clusters.nodes.class_nodes import is_created
from clusters.nodes.nodes import GPU, Nodes, nodes_of
from clusters.spec import Cluster
from placement.api.claims import Claims, claimed
from placement.api.interfaces import INTERFACES
from placement.fit.doubts import doubts_of_kinds
from placement.fit.judge import judge, nearest
from placement.fit.needs import Needs, needs
from placement.fit.node_labels import HOSTNAME
from placement.fit.room import Gang
from placement.fit.space import Space, measured, spaces
from placement.manifests.manifest import Manifest
from placement.overrides import change_pods
from placement.pods.pods import claims_of, pod_groups
from placement.starting import scarce_of
from placement.workload import Override
from tests import objects
from tests.unit.test_api_rules import mistakes
from tests.unit.test_where_it_fits import manifest, place, reasons, shares

H100, MEGA, H200 = "a3-highgpu-8g", "a3-megagpu-8g", "a3-ultragpu-8g"
DRA: dict[str, Any] = {"machine_type": H100, "accelerator": {"type": "nvidia-h100-80gb", "dra": True}}
TOLERATIONS = [{"key": GPU, "operator": "Exists"}, {"key": "google.com/tpu", "operator": "Exists"}]
DEFAULT = "networking.gke.io/default-interface"
CLASS = {"priorities": [{"machine_type": "g2-standard-8"}], "create_pools": True}


def pools(settings: dict[str, Any] | None = None, **named: dict[str, Any]) -> list[Nodes]:
    """The nodes of a cluster with these pools."""
    plain = {"region": "us-central1", "zones": ["us-central1-a"], "slot": 0, "role": "any", "node_pools": named}
    return nodes_of(Cluster.model_validate(plain | (settings or {})))


def member(**named: dict[str, Any]) -> Space:
    return spaces({"": pools(**named)})[""]


def annotated(*networks: str, default: str | None = "eth0", **more: Any) -> dict[str, str]:
    """The annotations of a pod with an interface on the default network, and one on each of these."""
    refs = [{"interfaceName": f"eth{n}", "network": each} for n, each in enumerate(("default", *networks))]
    found = {INTERFACES: json.dumps([*refs, *([more] if more else [])])}
    return found | ({DEFAULT: default} if default else {})


def pod(*templates: str, **spec: Any) -> dict[str, Any]:
    claims = [{"name": each, "resourceClaimTemplateName": each} for each in templates]
    return {"containers": [{"name": "a", "image": "b"}], "tolerations": TOLERATIONS, "resourceClaims": claims, **spec}


def template(*requests: dict[str, Any], **devices: Any) -> Manifest:
    named = [{"name": f"r{n}", **each} for n, each in enumerate(requests)]
    spec = {"spec": {"devices": {"requests": named, **devices}}}
    kind = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate"}
    return manifest({**kind, "metadata": {"name": "gpus"}, "spec": spec})


def exactly(of: str = "gpu.nvidia.com", **more: Any) -> dict[str, Any]:
    return {"exactly": {"deviceClassName": of, **more}}


def claiming(*requests: dict[str, Any], **devices: Any) -> Needs:
    return needs(pod("gpus"), claims=claims_of([template(*requests, **devices)]))


def why(own: Needs, nodes: list[Nodes]) -> str:
    return nearest([judge(own, each).misses for each in nodes])


def unjudged(own: Needs, nodes: list[Nodes]) -> list[str]:
    """What cannot be judged of a pod that fits."""
    assert why(own, nodes) == ""
    return doubts_of_kinds(spaces({"": nodes})[""], Gang((own,), (1,)))


# Networks.

OWN = {"machine_type": MEGA, "gpu_networks": "own", "max_nodes": 2}


def test_a_pod_fits_where_the_networks_of_its_annotation_are() -> None:
    every = [f"vpc{n}" for n in range(1, 9)]
    own = needs(pod(), annotations=annotated(*every))
    assert unjudged(own, pools(mega=OWN)) == []
    assert unjudged(needs(pod(), annotations=annotated()), pools()) == [], "the network of the cluster"
    rdma = needs(pod(), annotations=annotated("gvnic-1", "rdma-0", "rdma-7"))
    ultra = {"machine_type": H200, "gpu_networks": "own", "spot": True, "zones": ["us-central1-b"]}
    assert unjudged(rdma, pools(ultra=ultra)) == []


@pytest.mark.parametrize(
    ("named", "text"),
    [
        (
            {"mega": OWN},
            "pool mega has the networks vpc1, vpc2, vpc3, vpc4, vpc5, vpc6, vpc7, vpc8, and annotation "
            "networking.gke.io/interfaces names gpu-nic0: write names of these",
        ),
        (
            {"mega": {"machine_type": MEGA}},
            "pool mega has no networks but the cluster's, and annotation networking.gke.io/interfaces names gpu-nic0, "
            "vpc1: write gpu_networks: own for it",
        ),
        (
            {"tpus": {"machine_type": "ct6e-standard-4t"}},
            "pool tpus has no networks but the cluster's, and annotation networking.gke.io/interfaces names gpu-nic0, "
            "vpc1: write gpu_networks: auto for it",
        ),
        (
            {},
            "pool system has no networks but the cluster's, and annotation networking.gke.io/interfaces names "
            "gpu-nic0, vpc1: write gpu_networks: own for a pool that can have it",
        ),
    ],
)
def test_a_network_that_no_pool_has_is_refused_with_what_to_write(named: dict[str, Any], text: str) -> None:
    assert why(needs(pod(), annotations=annotated("vpc1", "gpu-nic0")), pools(**named)) == text


def test_networks_of_a_smaller_machine_are_fewer() -> None:
    own = needs(pod(), annotations=annotated("vpc5"))
    high = {"machine_type": H100, "gpu_networks": "own"}
    assert "names vpc5" in why(own, pools(high=high))
    assert why(own, pools(high=high, mega=OWN)) == ""


def test_an_interface_is_of_one_pod() -> None:
    space = member(mega=OWN)
    own = Gang((needs(pod(), annotations=annotated("vpc1")),), (1,))
    assert space.room(own) == 2, "as many as nodes"
    assert space.room(Gang((needs(pod()),), (1,))) > 2


def test_networks_that_google_names_are_a_doubt() -> None:
    auto = {"machine_type": H200, "gpu_networks": "auto", "spot": True, "zones": ["us-central1-b"]}
    own = needs(pod(), annotations=annotated("vpc1"))
    text = "networks vpc1: those of pool ultra are made by GKE, which names them"
    assert unjudged(own, pools(ultra=auto)) == [text]
    limits = {"limits": {"cpu": {"max": 200}, "memory": {"max": 1000}, "nvidia-l4": {"max": 4}}}
    created = pools({"compute_classes": {"fast": CLASS}, "auto_provisioning": limits})
    selecting = needs(pod(nodeSelector={"cloud.google.com/compute-class": "fast"}), annotations=annotated("vpc1"))
    found = [each for each in created if is_created(each.pool)]
    assert [each.pool for each in found if not judge(selecting, each).misses] == ["fast/1"]
    for each in found:
        assert any("networks vpc1" in doubt for doubt in judge(own, each).doubts)


@pytest.mark.parametrize(
    ("annotations", "doubt"),
    [
        (annotated(default=None), f"no {DEFAULT}; write an interfaceName of {INTERFACES}"),
        (
            annotated(default="eth9"),
            f"{DEFAULT}: 'eth9', which {INTERFACES} does not have; write an interfaceName of {INTERFACES}",
        ),
        (annotated(interfaceName="eth1", interface="mine"), "NetworkInterface 'mine'"),
        ({DEFAULT: "eth0"}, ""),
    ],
)
def test_what_cannot_be_judged_of_interfaces_is_a_doubt(annotations: dict[str, str], doubt: str) -> None:
    assert unjudged(needs(pod(), annotations=annotations), pools()) == ([doubt] if doubt else [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[{'interfaceName': 'eth0'}]", "no JSON (Expecting property name"),
        ("", "no JSON (Expecting value"),
        ("[" * 100_000, "no JSON; write"),
        ('{"interfaceName": "eth0"}', "no list of interfaces; write"),
        ('["vpc1"]', "no list of interfaces; write"),
        ('[{"interfaceName": "eth1", "network": ["vpc1"]}]', "no list of interfaces: network is ['vpc1'], and no text"),
    ],
)
def test_an_annotation_that_cannot_be_read_is_a_mistake_of_the_manifest(text: str, why: str) -> None:
    body = objects.job("train", {**pod(), "restartPolicy": "Never"})
    del body["spec"]["template"]["spec"]["resourceClaims"]
    body["spec"]["template"]["metadata"] = {"annotations": {INTERFACES: text}}
    (mistake,) = mistakes(body)
    assert mistake.startswith(f"spec.template.metadata.annotations.{INTERFACES}: {why}"), mistake
    assert mistake.endswith('write a list such as [{"interfaceName": "eth1", "network": "vpc1"}]')
    assert len(needs(pod(), annotations={INTERFACES: text}).doubts) == 1
    body["spec"]["template"]["metadata"] = {"annotations": annotated("vpc1")}
    assert mistakes(body) == []


def test_annotations_are_read_of_templates_and_of_what_operators_make_pods_from() -> None:
    job = objects.job("train", pod())
    job["spec"]["template"]["metadata"] = {"annotations": annotated("vpc1")}
    predictor = {"containers": [{"name": "a"}], "annotations": annotated("vpc1")}
    service = {"kind": "InferenceService", "metadata": {"name": "a"}, "spec": {"predictor": predictor}}
    for body in (job, service):
        (group,) = pod_groups(manifest(body))
        assert group.annotations == annotated("vpc1")


def test_a_live_node_has_the_networks_and_devices_of_its_pool() -> None:
    mega, claims = (member(**{name: each}) for name, each in {"mega": OWN, "claims": DRA}.items())
    for space, own in ((mega, needs(pod(), annotations=annotated("vpc1"))), (claims, claiming(exactly(count=8)))):
        (one,) = (each.pool.nodes for each in space.largest.bins if each.pool.nodes.pool != "system")
        listed = {name: amount for name, amount in one.allocatable.items() if name in ("cpu", "memory", "pods")}
        live = Nodes(one.pool, {**one.labels, HOSTNAME: "n"}, listed, 1, one.taints)
        assert measured(space, [live]).now_and_whole(Gang((own,), (1,)))[0] == 1
    text = "devices of gpu.nvidia.com that other pods on pool claims have"
    assert judge(claiming(exactly()), live_of(claims)).doubts == (text,)


def live_of(space: Space) -> Nodes:
    (one,) = (each.pool.nodes for each in space.largest.bins if each.pool.nodes.pool != "system")
    return Nodes(one.pool, {**one.labels, HOSTNAME: "n"}, one.allocatable, 1, one.taints)


def test_pods_that_run_are_known_by_what_their_manifest_requests() -> None:
    injected = {GPU: 8, "networking.gke.io.networks/vpc1": 1, "networking.gke.io.networks/vpc1.IP": 1}
    assert scarce_of(injected) == ((GPU, 8),)


# Claims.


def test_every_device_class_has_what_to_write() -> None:
    assert all(each.instead for each in device_classes().values())
    assert len(device_classes()) < len(rows("device_classes.csv")), "one that is not sure is not judged"


def test_a_claim_of_gpus_fits_where_they_are_by_claims() -> None:
    assert unjudged(claiming(exactly(count=8)), pools(claims=DRA)) == []
    text = "no pool has devices of gpu.nvidia.com: write accelerator.dra: true for a pool with GPUs"
    assert why(claiming(exactly()), pools()) == text
    assert why(claiming(exactly()), pools(h100={"machine_type": H100})) == text
    nine = "claims has 8 gpu.nvidia.com on a node, the pod requests 9"
    assert nine.partition(" has")[0] in why(claiming(exactly(count=9)), pools(claims=DRA))
    assert "9 gpu.nvidia.com" in why(claiming(exactly(count=9)), pools(claims=DRA))
    assert "9 gpu.nvidia.com" in why(claiming(exactly(count=8), exactly()), pools(claims=DRA)), "all of its requests"


@pytest.mark.parametrize(
    "request_",
    [
        exactly(count=8),
        exactly(count=8, allocationMode="ExactCount"),
        {"deviceClassName": "gpu.nvidia.com", "count": 8},
        {"firstAvailable": [{"name": "a", "deviceClassName": "gpu.nvidia.com", "count": 8}]},
    ],
)
def test_the_shapes_of_every_version_are_read(request_: dict[str, Any]) -> None:
    assert claiming(request_).requests == (("gpu.nvidia.com", 8), ("pods", 1))


def test_claims_are_counted_like_other_resources() -> None:
    space = member(claims=DRA | {"max_nodes": 3})
    assert space.room(Gang((claiming(exactly(count=8)),), (1,))) == 3
    assert space.room(Gang((claiming(exactly(count=4)),), (1,))) == 6
    for shared in (exactly(count=8, adminAccess=True), exactly(count=8, capacity={"requests": {"memory": "1Gi"}})):
        assert space.room(Gang((claiming(shared),), (1,))) > 6


NETWORKS = "pool such as a3-ultragpu-8g or a4-highgpu-8g"
AUTO: dict[str, Any] = {"gpu_networks": "auto", "spot": True, "zones": ["us-central1-b"]}
ULTRA, TPUS = AUTO | {"machine_type": H200}, AUTO | {"machine_type": "ct6e-standard-4t"}


@pytest.mark.parametrize(
    ("of", "count", "named", "text"),
    [
        ("mrdma.google.com", 8, {"ultra": ULTRA}, ""),
        ("mrdma.google.com", 9, {"ultra": ULTRA}, "no pool has 9 mrdma.google.com on a node (ultra has 8)"),
        (
            "mrdma.google.com",
            1,
            {"tpus": TPUS},
            f"no pool has devices of mrdma.google.com: write gpu_networks: auto for a {NETWORKS}",
        ),
        (
            "mrdma.google.com",
            1,
            {"mega": OWN},
            f"no pool has devices of mrdma.google.com: write gpu_networks: auto for a {NETWORKS}",
        ),
        (
            "netdev.google.com",
            1,
            {"mega": OWN},
            "no pool has devices of netdev.google.com: write gpu_networks: auto for a pool such as ct6e-standard-4t or "
            "a3-ultragpu-8g",
        ),
        (
            "tpu.google.com",
            4,
            {"claims": DRA},
            "no pool has devices of tpu.google.com: write a pool with TPUs, whose nodes have a driver for claims",
        ),
        (
            "mig.nvidia.com",
            1,
            {"h100": {"machine_type": H100}},
            "no pool has devices of mig.nvidia.com: write accelerator.dra: true for a pool with GPUs",
        ),
    ],
)
def test_each_class_needs_its_own_pools(of: str, count: int, named: dict[str, Any], text: str) -> None:
    assert why(claiming(exactly(of, count=count)), pools(**named)) == text


@pytest.mark.parametrize(
    ("of", "named"),
    [
        ("mig.nvidia.com", {"one": DRA}),
        ("tpu.google.com", {"one": {"machine_type": "ct6e-standard-4t"}}),
        ("netdev.google.com", {"one": ULTRA}),
        ("netdev.google.com", {"one": TPUS}),
        ("mrdma.google.com", {"one": AUTO | {"machine_type": "a4x-maxgpu-4g-metal"}}),
        (
            "gpu.nvidia.com",
            {
                "one": {
                    "machine_type": H100,
                    "labels": {"gke-no-default-nvidia-gpu-device-plugin": "true", "nvidia.com/gpu.present": "true"},
                }
            },
        ),
        (
            "gpu.nvidia.com",
            {"one": {"machine_type": H100, "labels": {"cloud.google.com/gke-nvidia-gpu-dra-driver": "true"}}},
        ),
    ],
)
def test_what_the_settings_do_not_say_of_a_node_is_a_doubt(of: str, named: dict[str, Any]) -> None:
    tolerating = pod("gpus", tolerations=[{"operator": "Exists"}])
    own = needs(tolerating, claims=claims_of([template(exactly(of, count=2))]))
    assert unjudged(own, pools(**named)) == [f"how much {of} pool one has"]


@pytest.mark.parametrize(
    ("request_", "devices", "doubt"),
    [
        (exactly(allocationMode="All"), {}, "allocationMode 'All' of ResourceClaimTemplate gpus, which takes devices"),
        (
            exactly(selectors=[{"cel": {"expression": "x"}}]),
            {},
            "selectors of ResourceClaimTemplate gpus, which choose",
        ),
        (exactly("dra.net"), {}, "device class 'dra.net' of ResourceClaimTemplate gpus"),
        (exactly("vfio.gpu.nvidia.com"), {}, "device class 'vfio.gpu.nvidia.com' of ResourceClaimTemplate gpus"),
        (exactly(adminAccess=True), {}, "devices of ResourceClaimTemplate gpus that other pods may have too"),
        (exactly(), {"constraints": [{"matchAttribute": "a/b"}]}, "constraints of ResourceClaimTemplate gpus"),
        ({"firstAvailable": [{"deviceClassName": "gpu.nvidia.com"}]}, {}, "which alternative of firstAvailable"),
        (exactly(deviceClassName=["a"]), {}, "device class ['a'] of ResourceClaimTemplate gpus"),
    ],
)
def test_what_cannot_be_judged_of_a_claim_is_a_doubt(
    request_: dict[str, Any], devices: dict[str, Any], doubt: str
) -> None:
    (found,) = unjudged(claiming(request_, **devices), pools(claims=DRA))
    assert found.startswith(doubt)


def test_selectors_and_all_devices_still_need_a_pool_that_has_some() -> None:
    for request in (exactly(allocationMode="All"), exactly(selectors=[{"cel": {}}]), exactly(adminAccess=True)):
        assert why(claiming(request), pools()).startswith("no pool has devices of gpu.nvidia.com")


def test_one_of_the_alternatives_must_be_there() -> None:
    first = [{"deviceClassName": "gpu.nvidia.com", "count": 9}, {"deviceClassName": "mrdma.google.com", "count": 2}]
    own = claiming({"firstAvailable": first})
    assert why(own, pools(claims=DRA)) == "no pool has 9 gpu.nvidia.com on a node (claims has 8)"
    assert why(own, pools(claims=DRA, ultra=ULTRA)) == ""
    either = claiming({"firstAvailable": [*first, {"deviceClassName": "dra.net"}]})
    assert why(either, pools()) == "", "a class that is not known may be anywhere"


def test_a_claim_that_pods_share_is_not_counted_for_each() -> None:
    body = {"spec": {"devices": {"requests": [exactly(count=8)]}}}
    claims: Claims = {("ResourceClaim", "shared"): body}
    own = needs(pod(resourceClaims=[{"name": "a", "resourceClaimName": "shared"}]), claims=claims)
    assert unjudged(own, pools(claims=DRA)) == ["ResourceClaim shared, whose devices all its pods share on one node"]
    assert member(claims=DRA).room(Gang((own,), (1,))) > 8
    assert why(own, pools()).startswith("no pool has devices of gpu.nvidia.com")


@pytest.mark.parametrize("odd", [None, [], {}, 7, "gpus", ["gpus"], {"gpus": 1}])
def test_no_claim_is_too_odd(odd: Any) -> None:
    for spec in (
        {"resourceClaims": odd},
        {"resourceClaims": [odd]},
        {"resourceClaims": [{"name": odd, "resourceClaimTemplateName": odd}]},
    ):
        claimed(spec, claims_of([template(exactly())]))
    for devices in ({"requests": odd}, {"requests": [odd]}, odd, {"requests": [{"exactly": odd}]}):
        claims: Claims = {("ResourceClaimTemplate", "gpus"): {"spec": {"spec": {"devices": devices}}}}
        claimed(pod("gpus"), claims)
    for request in (exactly(count=odd), exactly(odd), {"firstAvailable": odd}, {"firstAvailable": [odd]}):
        claimed(pod("gpus"), claims_of([template(request)]))


# Workloads.


def server(replicas: int = 3, **spec: Any) -> Manifest:
    return manifest(objects.deployment("api", pod("gpus", **spec), replicas=replicas))


def test_a_workload_is_placed_by_the_claims_among_its_objects() -> None:
    members = {"asia": member(l4={"machine_type": "g2-standard-8"}), "west": member(claims=DRA | {"max_nodes": 4})}
    own = template(exactly(count=8))
    placed = place(members, {"api": {"policy": "spread"}}, own, server())
    assert shares(placed, "api") == {"west": 3}
    assert "no pool has devices of gpu.nvidia.com" in reasons(placed, "api")["asia"]
    assert "not judged" not in reasons(placed, "api")["west"]
    missing = place(members, {"api": {"policy": "spread"}}, server())
    assert "ResourceClaimTemplate 'gpus' is not among the objects of the workload" in reasons(missing, "api")["west"]


def test_overrides_of_a_template_change_the_pods_that_use_it() -> None:
    path = "/spec/spec/devices/requests/0/exactly/count"
    patch = Override.model_validate({"path": path, "value": 4, "kind": "ResourceClaimTemplate"})
    assert change_pods([template(exactly(count=8)), server()], [patch])
    assert not change_pods([template(exactly(count=4)), server()], [patch])


def test_overrides_of_an_annotation_change_the_pods() -> None:
    job = objects.job("train", {})
    job["spec"]["template"]["metadata"] = {"annotations": annotated("vpc1")}
    found = annotated("vpc2")
    patch = Override.model_validate({"path": "/spec/template/metadata/annotations", "value": found, "kind": "Job"})
    assert change_pods([manifest(job)], [patch])
