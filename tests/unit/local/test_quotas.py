"""The stand-in for Google Cloud has enough quota of everything, but for what its user sets."""

from pathlib import Path

import pytest

from clusters.facts.quotas import quota_of
from clusters.quota_needs import UNLIMITED, Limit, limit_in
from local.gcp.quotas import GET, VARIABLE
from local.plugin import Refused
from tests.unit.local.google import POOL, Google, changed, stand_in

A100, SPOT = "NVIDIA-A100-GPUS-per-project-region", "PREEMPTIBLE-NVIDIA-A100-GPUS-per-project-region"
FAMILY = "GPUS-PER-GPU-FAMILY-per-project-region"


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Google:
    return stand_in(tmp_path, monkeypatch)[0]


def limits(google: Google, quota: str) -> list[Limit]:
    """The limits as the program reads them."""
    found = google.plugin.invoke(
        GET, {"parent": "projects/toys", "service": "compute.googleapis.com", "quotaId": quota}
    )
    assert found["name"] == f"projects/toys/locations/global/services/compute.googleapis.com/quotaInfos/{quota}"
    return [
        Limit(
            each["dimensions"],
            each["applicableLocations"],
            UNLIMITED if (value := int(each["details"][0]["value"] if each["details"] else 0)) < 0 else value,
        )
        for each in found["dimensionsInfos"]
    ]


def test_there_is_enough_of_everything(google: Google) -> None:
    assert limit_in(limits(google, A100), "us-west1", {}) == UNLIMITED
    assert limit_in(limits(google, "GPUS-ALL-REGIONS-per-project"), "", {}) == UNLIMITED


def test_a_limit_that_is_set_holds_in_its_region(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    h100 = f"us-east4/{FAMILY}/NVIDIA_H100=8"
    monkeypatch.setenv(VARIABLE, f"us-west1/{A100}=2 {h100} us-west1/{SPOT}=0 global/GPUS-ALL-REGIONS-per-project=4")
    assert limit_in(limits(google, A100), "us-west1", {}) == 2
    assert limit_in(limits(google, A100), "us-east4", {}) == UNLIMITED
    assert limit_in(limits(google, SPOT), "us-west1", {}) == 0
    assert limit_in(limits(google, FAMILY), "us-east4", {"gpu_family": "NVIDIA_H100"}) == 8
    assert limit_in(limits(google, FAMILY), "us-east4", {"gpu_family": "NVIDIA_H200"}) == UNLIMITED
    assert limit_in(limits(google, "GPUS-ALL-REGIONS-per-project"), "", {}) == 4


@pytest.mark.parametrize("text", ["nonsense", f"us-west1/{A100}", f"us-west9/{A100}=1", f"us-west1/{A100}=-1"])
def test_what_is_no_limit_is_refused(google: Google, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(Refused, match="write REGION/QUOTA=NUMBER"):
        limits(google, A100)


def test_the_api_can_be_off(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    with pytest.raises(Refused, match="SERVICE_DISABLED"):
        limits(google, A100)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"initialNodeCount": 2}, False),
        ({"initialNodeCount": 3}, True),
        # For each zone.
        ({"initialNodeCount": 1, "nodeLocations": ["us-west1-a", "us-west1-b", "us-west1-c"]}, True),
        ({"initialNodeCount": 0}, False),
        # These count against other quotas, and machines of a reservation against none.
        ({"initialNodeCount": 3, "nodeConfig.spot": True}, False),
        (
            {
                "initialNodeCount": 3,
                "nodeConfig.reservationAffinity": {
                    "consumeReservationType": "SPECIFIC_RESERVATION",
                    "key": "compute.googleapis.com/reservation-name",
                    "values": ["mine"],
                },
            },
            False,
        ),
    ],
)
def test_a_pool_whose_first_nodes_are_beyond_a_quota_is_refused(
    google: Google, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], refused: bool
) -> None:
    monkeypatch.setenv(VARIABLE, f"us-west1/{A100}=2")
    google.build()
    pool = changed(POOL, {"name": "other"} | changes)
    if refused:
        with pytest.raises(Refused) as raised:
            google.create(POOL, pool)
        assert (
            'Error 403: Insufficient regional quota to satisfy request: resource "NVIDIA_A100_GPUS": request requires '
            "'3.0' and is short '1.0'. project has a quota of '2.0' with '2.0' available" in str(raised.value)
        )
    else:
        google.create(POOL, pool)


def test_other_pools_of_the_region_count(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"us-west1/{A100}=3")
    google.build()
    google.create(POOL, changed(POOL, {"name": "one", "initialNodeCount": 2, "autoscaling.totalMinNodeCount": 2}))
    with pytest.raises(Refused, match=r"quota of '3\.0' with '1\.0' available"):
        google.create(POOL, changed(POOL, {"name": "two", "initialNodeCount": 2}))
    # An existing pool is not asked again.
    google.update(POOL, google.registry.all("nodepool").popitem()[0], {}, changed(POOL, {"name": "one"}))


def test_the_quota_of_the_pool_is_known() -> None:
    quota = quota_of("nvidia-tesla-a100", "standard")
    assert quota
    assert quota.id == A100
