"""What the stand-in refuses of GPUs, boot disks and blocks of reservations: each with a good and a bad case."""

import pytest

from clusters import filled_in
from clusters.facts.machines import BUILT_IN, always_has_ssds
from clusters.pools.spec import NodePool
from local.gcp.pools.gpu_checks import wrong_block, wrong_gpus
from local.gcp.pools.nodes import filled_config
from local.plugin import Resource
from local.wire import UNKNOWN, Properties
from tests.unit.local.google import POOL, Google, changed

_FIRST = "nodeConfig.guestAccelerators.0"
_GPUS, _DISK, _AFFINITY = "nodeConfig.guestAccelerators", "nodeConfig.diskType", "nodeConfig.reservationAffinity"
_BLOCK = "projects/p/reservations/r/reservationBlocks/b"
_SHARED = {"gpuSharingStrategy": "MPS", "maxSharedClientsPerGpu": 2}
_CLAIMS: Properties = {
    f"{_FIRST}.gpuDriverInstallationConfig.gpuDriverVersion": "INSTALLATION_DISABLED",
    "nodeConfig.labels": {"gke-no-default-nvidia-gpu-device-plugin": "true", "nvidia.com/gpu.present": "true"},
}
_B200: Properties = {
    "nodeConfig.machineType": "a4-highgpu-8g",
    f"{_FIRST}.type": "nvidia-b200",
    f"{_FIRST}.count": 8,
    _DISK: "hyperdisk-balanced",
}
_FLEX: Properties = {"nodeConfig.flexStart": True, "management.autoRepair": False}
_COMPACT: Properties = {"placementPolicy": {"type": "COMPACT"}}


def _named(name: str) -> Properties:
    return {
        _AFFINITY: {
            "consumeReservationType": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [name],
        }
    }


_CASES: list[tuple[Properties, Properties, str, str]] = [
    ({f"{_FIRST}.gpuPartitionSize": "1g.5gb"}, {f"{_FIRST}.gpuPartitionSize": "1g.6gb"}, _GPUS, "not supported for"),
    (
        _CLAIMS,
        {**_CLAIMS, f"{_FIRST}.gpuPartitionSize": "1g.5gb"},
        _GPUS,
        "neither shared nor partitioned",
    ),
    (
        {f"{_FIRST}.gpuSharingConfig": _SHARED},
        {**_CLAIMS, f"{_FIRST}.gpuSharingConfig": _SHARED},
        _GPUS,
        "neither shared nor partitioned",
    ),
    (
        {_DISK: "pd-ssd"},
        {**_B200, "nodeConfig.spot": True, _DISK: "pd-ssd"},
        _DISK,
        "[pd-ssd, a4-highgpu-8g] features are not compatible for creating instance",
    ),
    ({**_B200, "nodeConfig.spot": True}, {**_B200}, "nodeConfig.machineType", "not available on demand"),
    ({**_B200, **_FLEX}, {**_B200}, "nodeConfig.machineType", "not available on demand"),
    ({**_B200, **_named("mine")}, {**_B200}, "nodeConfig.machineType", "not available on demand"),
    ({**_B200, **_FLEX, **_COMPACT}, {**_FLEX, **_COMPACT}, "placementPolicy", "A3 Ultra, A4, and H4D"),
    (_named(_BLOCK), _named("r/reservationBlocks/b"), _AFFINITY, "It must be projects/P/reservations/R/"),
    (
        _named(f"{_BLOCK}/reservationSubBlocks/s"),
        _named("projects/p/reservations/r/reservationSubBlocks/s"),
        _AFFINITY,
        "may end in /reservationSubBlocks/S",
    ),
    (
        {**_named("mine"), "nodeLocations": ["us-west1-a", "us-west1-b"]},
        {**_named(_BLOCK), "nodeLocations": ["us-west1-a", "us-west1-b"]},
        "nodeLocations",
        "a reservation block is in one zone only, not in us-west1-a, us-west1-b",
    ),
]


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Google:
    """An empty project."""
    return Google(tmp_path_factory.mktemp("google"))


@pytest.mark.parametrize(("good", "bad", "field", "words"), _CASES)
def test_google_refuses(google: Google, good: Properties, bad: Properties, field: str, words: str) -> None:
    assert google.check(POOL, changed(POOL, good)) == {}
    found = google.check(POOL, changed(POOL, bad))
    assert list(found) == [field]
    assert words in found[field]


def test_a_block_is_in_one_of_the_zones_as_far_as_they_are_known() -> None:
    cluster: Properties = {"location": "us-west1", "nodeLocations": ["us-west1-a", "us-west1-b"]}
    known: Properties = {**changed(POOL, _named(_BLOCK)), "nodeLocations": None}
    (wrong,) = wrong_block(known, cluster)
    assert "not in us-west1-a, us-west1-b" in wrong.why
    assert not [*wrong_block({**known, "nodeLocations": UNKNOWN}, cluster)]


def test_what_is_not_known_yet_is_not_refused(google: Google) -> None:
    for field in (f"{_FIRST}.gpuPartitionSize", _DISK, f"{_AFFINITY}", "nodeConfig.labels"):
        assert google.check(POOL, changed(POOL, {field: UNKNOWN})) == {}


@pytest.mark.parametrize(("version", "refused"), [("1.33.4-gke.1000", True), ("1.34.0", False), (UNKNOWN, False)])
def test_an_old_cluster_has_no_claims(version: str, refused: bool) -> None:
    found = list(wrong_gpus(changed(POOL, _CLAIMS), {"masterVersion": version}))
    assert bool(found) is refused
    assert not list(wrong_gpus(changed(POOL, {}), {"masterVersion": version}))


@pytest.mark.parametrize("machine", [each for each in BUILT_IN if always_has_ssds(each)])
def test_local_ssds_that_google_writes_into_a_pool_replace_none(google: Google, machine: str) -> None:
    pool = NodePool.model_validate({"machine_type": machine, "spot": True})
    inputs = changed(POOL, {"nodeConfig.machineType": machine})
    state = inputs | {"nodeConfig": filled_config(inputs)}
    written = "nodeConfig.ephemeralStorageLocalSsdConfig"
    assert replaced(google, inputs, state, ()) == [written]
    assert replaced(google, inputs, state, tuple(filled_in.of_pool(pool))) == []


def replaced(google: Google, inputs: Properties, state: Properties, ignored: tuple[str, ...]) -> list[str]:
    return google.plugin.diff(Resource("", POOL, "it", "id", False, ignored), inputs, state, inputs).replaces
