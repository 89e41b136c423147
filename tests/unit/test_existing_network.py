"""Networks that exist already: what contradicts itself is refused, and nothing in them is made, changed or deleted."""

from functools import cache
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_gcp import compute

from clusters.addresses import addresses
from problems import Problem, SettingsError
from settings import parse
from tests.unit.program import PROJECT, ROOT, Run, run_program
from tests.unit.test_settings import DELETE
from tests.unit.test_settings import changed as changed_by_path

pytestmark = pytest.mark.usefixtures("project_folder")

FILE = ROOT / "tests/Pulumi.existing-network.yaml"
VPC, REGIONS = "projects/network-host/global/networks/company", "projects/network-host/regions"
CLUSTER, POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
_OF = "clusters."


@cache
def _settings() -> dict[str, Any]:
    config = yaml.safe_load(FILE.read_text(encoding="utf-8"))["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


def changed(**changes: Any) -> dict[str, Any]:
    """The settings of the file with changes by path, with __ for a dot; None removes something."""
    named = {path.replace("__", "."): DELETE if value is None else value for path, value in changes.items()}
    return changed_by_path(named, _settings())


def subnet(nodes: str, ranges: dict[str, str], access: bool = True, vpc: str = VPC) -> dict[str, Any]:
    """What Google Cloud answers of a subnet."""
    return {
        "network": f"https://www.googleapis.com/compute/v1/{vpc}",
        "ipCidrRange": nodes,
        "secondaryIpRanges": [{"rangeName": key, "ipCidrRange": text} for key, text in ranges.items()],
        "privateIpGoogleAccess": access,
    }


US = subnet(
    "10.1.0.0/22",
    {
        "training-pods": "10.2.0.0/16",
        "training-services": "10.3.0.0/20",
        "evaluation-pods": "10.4.0.0/18",
        "evaluation-services": "10.3.16.0/20",
    },
)
EUROPE = subnet("10.5.0.0/24", {"pods": "10.6.0.0/17", "services": "10.7.0.0/22", "others": "10.7.16.0/22"})
SUBNETS: dict[str, Any] = {f"{REGIONS}/us-west1/gke-us-west1": US, f"{REGIONS}/europe-west1/gke-europe-west1": EUROPE}


def run(settings: dict[str, Any] | None = None, **subnets: Any) -> Run:
    """A run of the program; `subnets` are answers in place of those that fit the file, by region."""
    answers = dict(SUBNETS)
    for region, answer in subnets.items():
        named = region.replace("_", "-")
        answers[f"{REGIONS}/{named}/gke-{named}"] = answer
    return run_program("existing", settings or changed(), subnets=answers)


@pytest.fixture(scope="module")
def made(project_folder: None) -> Run:
    return run()


def problems(settings: dict[str, Any]) -> list[Problem]:
    try:
        parse({key: each for key, each in settings.items() if ":" not in key}, ROOT, "local")
    except SettingsError as error:
        return error.problems
    return []


def test_the_file_is_good() -> None:
    assert problems(changed()) == []
    # In the project's own network, with file servers in a range of their own.
    own = {"network__vpc": "projects/local/global/networks/company", "clusters__training__subnet__files": "10.9.0.0/24"}
    assert problems(changed(**own)) == []
    # Peered ranges may contain each other, and so may those of callers.
    wide = {"network__peered_ranges": ["10.200.0.0/16", "10.200.8.0/24"]}
    assert problems(changed(**wide, clusters__training__authorized_networks={"all": "10.0.0.0/8"})) == []


_GPU = {"mega": {"machine_type": "a3-megagpu-8g", "gpu_networks": "own"}}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a subnet without a network": (
        changed(network=None, clusters__evaluation=None, clusters__serving__subnet=None),
        f"{_OF}training.subnet: 'gke-us-west1'",
        "write network.vpc, which it is a subnet of, or remove subnet",
    ),
    "a cluster without a subnet": (
        changed(clusters__evaluation__subnet=None),
        f"{_OF}evaluation.subnet: required",
        "write the cluster's subnet of company in us-west1",
    ),
    "no VPC": (
        changed(network__vpc=None),
        "network.vpc: required",
        "write its id, projects/PROJECT/global/networks/NAME",
    ),
    "a name in place of an id": (changed(network__vpc="company"), "network.vpc: 'company'", "write its id, projects/"),
    "the whole Internet": (
        changed(network__peered_ranges=["0.0.0.0/0"]),
        "network.peered_ranges.0",
        "ranges of your own",
    ),
    "addresses inside a range": (
        changed(clusters__serving__subnet__nodes="10.5.0.1/24"),
        f"{_OF}serving.subnet.nodes: '10.5.0.1/24'",
        "not a range of IPv4 addresses",
    ),
    "public addresses": (
        changed(clusters__serving__subnet__nodes="34.5.0.0/24"),
        f"{_OF}serving.subnet.nodes: '34.5.0.0/24'",
        "not private; write a range of 10.0.0.0/8",
    ),
    "a range that is too small for Google Cloud": (
        changed(clusters__serving__subnet__services={"name": "services", "range": "10.7.0.0/30"}),
        f"{_OF}serving.subnet.services.range: '10.7.0.0/30'",
        "write a range of /29 or larger",
    ),
    "one range for pods and services": (
        changed(clusters__serving__subnet__services={"name": "pods", "range": "10.7.0.0/22"}),
        f"{_OF}serving.subnet.services.name: 'pods'",
        "pods have this range; write the name of another secondary range",
    ),
    "a peered range": (
        changed(network__peered_ranges=["10.6.64.0/20"]),
        f"{_OF}serving.subnet.pods.range: '10.6.0.0/17'",
        "overlaps with 10.6.64.0/20 of network.peered_ranges.0; write a range that is apart from it",
    ),
    "ranges of two clusters": (
        changed(clusters__serving__subnet__pods__range="10.4.0.0/17"),
        f"{_OF}serving.subnet.pods.range: '10.4.0.0/17'",
        "overlaps with 10.4.0.0/18 of clusters.evaluation.subnet.pods.range",
    ),
    "ranges of one cluster": (
        changed(clusters__serving__subnet__services__range="10.6.0.0/22"),
        f"{_OF}serving.subnet.services.range: '10.6.0.0/22'",
        "overlaps with 10.6.0.0/17 of clusters.serving.subnet.pods.range",
    ),
    "file servers in the range of the slot": (
        changed(network__vpc="projects/local/global/networks/company", network__peered_ranges=["10.48.32.0/20"]),
        f"{_OF}serving.slot: 2",
        "its file servers: 10.48.32.0/20 overlaps with 10.48.32.0/20 of network.peered_ranges.0; write subnet.files",
    ),
    "file servers in a Shared VPC": (
        changed(clusters__serving__subnet__files="10.9.0.0/24"),
        f"{_OF}serving.subnet.files: '10.9.0.0/24'",
        "in the range of private services access; remove it",
    ),
    "networks between GPUs": (
        changed(
            network__vpc="projects/local/global/networks/company",
            network__peered_ranges=["10.16.132.0/24"],
            clusters__serving__node_pools=_GPU,
        ),
        f"{_OF}serving.slot: 2",
        "its GPU network vpc2: 10.16.132.0/22 overlaps with 10.16.132.0/24 of network.peered_ranges.0; write another",
    ),
    "own networks between GPUs in a Shared VPC": (
        changed(clusters__serving__node_pools=_GPU),
        f"{_OF}serving.node_pools.mega.gpu_networks: 'own'",
        "must be in one project, and network.vpc is in network-host; write auto, or none",
    ),
    "two readings of one subnet": (
        changed(clusters__evaluation__subnet__nodes="10.1.0.0/23"),
        f"{_OF}evaluation.subnet.nodes: '10.1.0.0/23'",
        "training says that gke-us-west1 has 10.1.0.0/22; write what the subnet has in both",
    ),
    "one secondary range for two clusters": (
        changed(clusters__evaluation__subnet__pods__name="training-pods"),
        f"{_OF}evaluation.subnet.pods.name: 'training-pods'",
        "training's pods have it; write the name of another secondary range",
    ),
    "a caller in the range of services": (
        changed(clusters__serving__authorized_networks={"ci": "10.3.4.0/24"}),
        f"{_OF}serving.authorized_networks.ci: '10.3.4.0/24'",
        "inside clusters.training.subnet.services.range, from where nothing calls; write the range of the callers",
    ),
    "too few addresses for nodes": (
        changed(clusters__serving__node_pools__l4__max_nodes=249),
        f"{_OF}serving.node_pools.l4.max_nodes: 249",
        "the pools have up to 252 nodes, and the subnet has addresses for 251; write a smaller number",
    ),
    "too few addresses for pods": (
        changed(clusters__serving__node_pools__l4__max_nodes=126),
        f"{_OF}serving.node_pools.l4.max_pods_per_node: 110",
        "the pods of up to 129 nodes take 33024 addresses, and the subnet has 32768; write at most 64",
    ),
    "too few addresses for the system's nodes": (
        changed(clusters__evaluation__subnet__pods__range="10.4.0.0/23"),
        f"{_OF}evaluation.subnet.pods.range: '10.4.0.0/23'",
        "the pods of up to 3 nodes take 768 addresses; write a larger range",
    ),
    "too few addresses for the nodes of all clusters of a subnet": (
        changed(
            clusters__training__node_pools__l4={"machine_type": "g2-standard-8", "max_nodes": 200},
            clusters__training__subnet__nodes="10.1.0.0/24",
            clusters__evaluation__subnet__nodes="10.1.0.0/24",
            clusters__evaluation__node_pools={"l4": {"machine_type": "g2-standard-8", "max_nodes": 45}},
        ),
        f"{_OF}evaluation.subnet.name: 'gke-us-west1'",
        "training, evaluation have up to 251 nodes, and it has addresses for 250; write another subnet",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_contradicts_itself_is_refused_with_what_to_write(case: str) -> None:
    settings, where, advice = BAD[case]
    found = problems(settings)
    assert len(found) == 1, [str(each) for each in found]
    assert str(found[0]).startswith(where)
    assert advice in found[0].advice


# What is made.


def test_nothing_of_the_network_is_made(made: Run) -> None:
    types = {each.type for each in made.asked}
    assert not [each for each in types if each.startswith("gcp:compute/")]
    assert "geo-federation:clusters:Network" not in types


def test_clusters_are_in_their_subnets(made: Run) -> None:
    for name, cluster in made.clusters.items():
        inputs, own = made.cluster(name).inputs, cluster["subnet"]
        assert inputs["network"] == VPC
        assert inputs["subnetwork"] == f"{REGIONS}/{cluster['region']}/subnetworks/{own['name']}"
        assert inputs["ipAllocationPolicy"] == {
            "clusterSecondaryRangeName": own["pods"]["name"],
            "servicesSecondaryRangeName": own["services"]["name"],
        }
        blocks = {each["cidrBlock"] for each in inputs["masterAuthorizedNetworksConfig"]["cidrBlocks"]}
        # Of the host, not of its slot.
        assert {"10.1.0.0/22", "10.2.0.0/16"} <= blocks
        assert not blocks & {str(addresses(cluster["slot"]).nodes), str(addresses(0).pods)}


def test_openings_are_those_of_the_existing_ranges(made: Run) -> None:
    body = str(made.of_kind("FederatedNetworkPolicy"))
    own = [each["subnet"] for each in made.clusters.values()]
    assert all(each["nodes"] in body and each["pods"]["range"] in body for each in own)
    assert not any(str(addresses(slot).nodes) in body for slot in range(3))


@pytest.mark.parametrize(
    ("vpc", "expected"),
    [
        (VPC, {"network": VPC, "connect-mode": "PRIVATE_SERVICE_ACCESS"}),
        ("projects/local/global/networks/own", {"network": "own", "reserved-ipv4-cidr": "10.48.32.0/20"}),
    ],
)
def test_file_servers_are_where_the_network_has_room(vpc: str, expected: dict[str, str]) -> None:
    regions = f"projects/{vpc.split('/')[1]}/regions"
    answers = {path.replace(REGIONS, regions): {**each, "network": vpc} for path, each in SUBNETS.items()}
    found = run_program("existing", changed(network__vpc=vpc), subnets=answers)
    (parameters,) = (
        each.inputs["parameters"]
        for each in found.of_kind("StorageClass")
        if each.object_name == "models" and each.provider.split("::")[-2] == "serving-provider"
    )
    assert parameters == {"tier": "zonal", **expected}


# What the settings say is compared with what exists.


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (
            EUROPE | {"ipCidrRange": "10.5.0.0/23"},
            ["clusters.serving.subnet.nodes: '10.5.0.0/24': gke-europe-west1 has 10.5.0.0/23; write that"],
        ),
        (
            subnet("10.5.0.0/24", {"pods": "10.6.0.0/16", "others": "10.7.0.0/22"}),
            [
                "clusters.serving.subnet.pods.range: '10.6.0.0/17': pods of gke-europe-west1 is 10.6.0.0/16; "
                "write that",
                "clusters.serving.subnet.services.name: 'services': gke-europe-west1 has no secondary range of this "
                "name; write one of its own: others, pods",
            ],
        ),
        (
            EUROPE | {"network": "https://www.googleapis.com/compute/v1/projects/network-host/global/networks/other"},
            [
                "clusters.serving.subnet.name: 'gke-europe-west1': a subnet of projects/network-host/global/networks/"
                "other; write the name of a subnet of network.vpc, company"
            ],
        ),
        (
            "projects/network-host/regions/europe-west1/subnetworks/gke-europe-west1 not found",
            [
                "clusters.serving.subnet.name: 'gke-europe-west1': projects/network-host/regions/europe-west1/"
                "subnetworks/gke-europe-west1 does not exist; write the name of a subnet of company in europe-west1"
            ],
        ),
    ],
)
def test_what_differs_from_the_subnet_ends_the_run_before_anything_is_made(answer: Any, lines: list[str]) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(europe_west1=answer)
    head, *found = str(refused.value).split("\n  ")
    assert head.endswith("nothing was changed.")
    assert found == lines


def test_a_subnet_is_read_once_however_many_clusters_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read, names = compute.get_subnetwork, list[str]()

    def counted(**arguments: Any) -> Any:
        names.append(arguments["name"])
        return read(**arguments)

    monkeypatch.setattr(compute, "get_subnetwork", counted)
    assert len(run().clusters) == 3
    assert sorted(names) == ["gke-europe-west1", "gke-us-west1"]


def test_a_subnet_that_may_not_be_read_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    reading = "Error when reading or editing Subnetwork Not Found : gke-europe-west1: googleapi"
    found = run(europe_west1=f"{reading}: Error 403: Required 'compute.subnetworks.get' permission, forbidden")
    assert found.cluster("serving")
    assert "clusters.serving.subnet: not compared with projects/network-host/regions/europe-west1" in caplog.text
    assert "grant roles/compute.networkViewer on it" in caplog.text


def test_private_google_access_that_is_off_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert run(us_west1=US | {"privateIpGoogleAccess": False}).cluster("training")
    assert "Private Google Access is off" in caplog.text


def test_another_answer_is_no_difference() -> None:
    with pytest.raises(Exception, match="quota exceeded"):
        run(us_west1="quota exceeded")


def test_doubtful_ranges_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    settings = changed(
        network__peered_ranges=None,
        clusters__serving__subnet__nodes="172.17.8.0/24",
        clusters__serving__subnet__services__range="10.7.0.0/29",
        clusters__serving__node_pools={
            "b200": {"machine_type": "a4-highgpu-8g", "gpu_networks": "auto", "spot": True, "max_nodes": 1}
        },
    )
    ranges = {"pods": "10.6.0.0/17", "services": "10.7.0.0/29"}
    assert run(settings, europe_west1=subnet("172.17.8.0/24", ranges))
    for words in ("overlaps with 172.17.0.0/16", "may be too small for GKE", "not known whether GKE makes these"):
        assert words in caplog.text
