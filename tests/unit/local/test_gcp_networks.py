"""The stand-in's networks between GPUs and existing subnets: what is refused, and what is in use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.gcp.network import GET_SUBNET
from local.plugin import Refused
from local.wire import Properties
from tests.unit.local.google import (
    ACCOUNT,
    CLUSTER,
    CLUSTER_ID,
    FIREWALL,
    GOOD,
    IDENTITY,
    KEY,
    KEY_MEMBER,
    NETWORK,
    NETWORK_ID,
    POOL,
    RING,
    SUBNET,
    SUBNET_ID,
    Google,
    Nodes,
    changed,
    stand_in,
)

_PROFILE, _ADDITIONAL = "networkConfig.acceleratorNetworkProfile", "networkConfig.additionalNodeNetworkConfigs"
_ROCE = "projects/toys/global/networkProfiles/us-west1-b-vpc-roce"
_AUTO: Properties = {
    "nodeConfig.machineType": "a3-ultragpu-8g",
    "nodeConfig.guestAccelerators.0.type": "nvidia-h200-141gb",
    "nodeConfig.guestAccelerators.0.count": 8,
    "nodeConfig.diskType": "hyperdisk-balanced",
    "nodeConfig.spot": True,
    _PROFILE: "auto",
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Google, Nodes]]:
    """A project with a cluster that has several networks, and two networks between GPUs."""
    google, nodes = stand_in(tmp_path, monkeypatch)
    google.build(NETWORK, SUBNET, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER)
    google.create(CLUSTER, GOOD[CLUSTER] | {"enableMultiNetworking": True})
    for number, profile in enumerate((None, _ROCE)):
        network = {"name": f"gpu-{number}", "autoCreateSubnetworks": False, "mtu": 8896}
        google.create(NETWORK, network | ({"networkProfile": profile} if profile else {}))
        google.create(SUBNET, _subnet(number))
    yield google, nodes


def _subnet(number: int, **changes: Any) -> Properties:
    named = {"name": f"gpu-{number}", "network": f"projects/toys/global/networks/gpu-{number}", "region": "us-west1"}
    return named | {"ipCidrRange": f"10.16.{4 * number}.0/22"} | changes


def _pool(*attached: tuple[str, str], **changes: Any) -> Properties:
    return changed(POOL, {_ADDITIONAL: [{"network": one, "subnetwork": other} for one, other in attached]} | changes)


@pytest.mark.parametrize(
    ("kind", "good", "bad", "field", "words"),
    [
        (NETWORK, {"networkProfile": _ROCE}, {"networkProfile": "us-west1-b"}, "networkProfile", "was not found"),
        (NETWORK, {}, {"networkProfile": _ROCE.replace("west1-b", "west1-z")}, "networkProfile", "was not found"),
        (
            NETWORK,
            {},
            {"networkProfile": _ROCE, "autoCreateSubnetworks": True},
            "autoCreateSubnetworks",
            "no automatic subnetworks",
        ),
        (
            CLUSTER,
            {"enableMultiNetworking": True},
            {"enableMultiNetworking": True, "datapathProvider": "LEGACY_DATAPATH"},
            "enableMultiNetworking",
            "requires GKE Dataplane V2",
        ),
        (POOL, _AUTO, _AUTO | {_PROFILE: "fast"}, _PROFILE, "Must be one of auto"),
        (POOL, {}, {_PROFILE: "auto"}, _PROFILE, "a2-highgpu-1g does not support accelerator network profile"),
        (POOL, {}, {_ADDITIONAL: [{"network": "a"}]}, _ADDITIONAL, "needs a network and a subnetwork"),
        (
            POOL,
            {_ADDITIONAL: [{"network": "a", "subnetwork": f"a-{n}"} for n in range(9)]},
            {_ADDITIONAL: [{"network": "a", "subnetwork": f"a-{n}"} for n in range(10)]},
            _ADDITIONAL,
            "at most 9 additional node networks, not 10",
        ),
        (
            POOL,
            {},
            {_ADDITIONAL: [{"network": "a", "subnetwork": "a-0"}] * 2},
            _ADDITIONAL,
            "subnetwork a-0 is given twice",
        ),
        (
            POOL,
            {},
            _AUTO | {_ADDITIONAL: [{"network": "a", "subnetwork": "a"}]},
            _ADDITIONAL,
            "cannot be given with an accelerator network profile",
        ),
    ],
)
def test_what_google_refuses(
    tmp_path: Path, kind: str, good: Properties, bad: Properties, field: str, words: str
) -> None:
    google = Google(tmp_path)
    assert google.check(kind, changed(kind, good)) == {}
    found = google.check(kind, changed(kind, bad))
    assert list(found) == [field]
    assert words in found[field]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (_pool(("gpu-9", "gpu-0")), "Error 404: The resource 'gpu-9' was not found"),
        (_pool(("gpu-0", "gpu-9")), "Subnetwork gpu-9 was not found in us-west1"),
        (_pool(("gpu-0", "gpu-1")), "Subnetwork gpu-1 is not in network projects/toys/global/networks/gpu-0"),
        (_pool(("vpc", "nodes")), "is the cluster's own network, which nodes are attached to already"),
        (_pool(("gpu-1", "gpu-1"), nodeLocations=["us-west1-a"]), "is in us-west1-b alone, and the pool in us-west1-a"),
        (
            changed(POOL, _AUTO | {"nodeLocations": ["us-west1-a", "us-west1-b"]}),
            "pools in one zone, not in us-west1-a",
        ),
    ],
)
def test_what_google_refuses_beside_what_exists(made: tuple[Google, Nodes], inputs: Properties, words: str) -> None:
    google, _ = made
    google.create(POOL, _pool(("gpu-0", "gpu-0"), ("gpu-1", "gpu-1"), name="good"))
    with pytest.raises((Refused, AssertionError)) as refused:
        google.create(POOL, inputs)
    assert words in str(refused.value)


def test_nodes_have_further_networks_only_in_clusters_that_have_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    google, nodes = stand_in(tmp_path, monkeypatch)
    google.build(NETWORK, SUBNET, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER, CLUSTER)
    assert "cluster with multi-networking" in google.check(POOL, _pool(("gpu-0", "gpu-0")))[_ADDITIONAL]
    assert nodes.crds == []
    # It can be enabled later, in place.
    new = GOOD[CLUSTER] | {"enableMultiNetworking": True}
    assert google.diff(CLUSTER, new) == (["enableMultiNetworking"], [])
    google.update(CLUSTER, CLUSTER_ID, google.registry.get("cluster", CLUSTER_ID) or {}, new)
    assert google.check(POOL, _pool(("gpu-0", "gpu-0"))) == {}
    assert nodes.crds == ["networks.networking.gke.io", "gkenetworkparamsets.networking.gke.io"]


def test_a_cluster_with_several_networks_serves_their_types(made: tuple[Google, Nodes]) -> None:
    assert made[1].crds == ["networks.networking.gke.io", "gkenetworkparamsets.networking.gke.io"]


def test_networks_that_nodes_are_attached_to_cannot_be_deleted(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    subnet = "projects/toys/regions/us-west1/subnetworks/gpu-0"
    pool, _ = google.create(POOL, _pool(("gpu-0", "gpu-0")))
    with pytest.raises(Refused, match="already being used by"):
        google.delete(SUBNET, subnet)
    google.delete(POOL, pool)
    google.delete(SUBNET, subnet)


def test_roce_networks_have_no_firewall(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.create(FIREWALL, changed(FIREWALL, {"network": "gpu-0"}))
    with pytest.raises(Refused, match="not supported in network projects/toys/global/networks/gpu-1"):
        google.create(FIREWALL, changed(FIREWALL, {"network": "gpu-1", "name": "other"}))


def test_another_network_replaces_a_pool(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    assert google.diff(POOL, changed(POOL, {_PROFILE: "auto"}))[1]
    assert google.diff(POOL, _pool(("gpu-0", "gpu-0")))[1]


def test_an_existing_subnet_is_read(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    found = google.plugin.invoke(GET_SUBNET, {"name": "nodes", "region": "us-west1", "project": "toys"})
    assert found["id"] == SUBNET_ID
    assert found["network"] == f"https://www.googleapis.com/compute/v1/{NETWORK_ID}"
    assert found["ipCidrRange"] == "10.0.0.0/20"
    assert [each["rangeName"] for each in found["secondaryIpRanges"]] == ["pods", "services"]
    with pytest.raises(Refused, match="projects/other/regions/us-west1/subnetworks/nodes not found"):
        google.plugin.invoke(GET_SUBNET, {"name": "nodes", "region": "us-west1", "project": "other"})


def test_a_cluster_has_no_more_nodes_than_its_subnet_has_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    google, _ = stand_in(tmp_path, monkeypatch)
    google.build(NETWORK)
    google.create(SUBNET, GOOD[SUBNET] | {"ipCidrRange": "10.0.0.0/28"})
    google.build(ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER, CLUSTER)
    least = "autoscaling.totalMinNodeCount"
    with pytest.raises(Refused, match="the subnetwork has addresses for 11 nodes, and the cluster's pools have 12"):
        google.create(POOL, changed(POOL, {least: 12, "autoscaling.totalMaxNodeCount": 20}))
    google.create(POOL, changed(POOL, {least: 11, "autoscaling.totalMaxNodeCount": 20}))
