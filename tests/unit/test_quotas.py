"""A quota that is smaller than what the pools can grow to is a warning before anything is made, and never an error."""

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from clusters.facts.machine_sizes import tpus
from clusters.facts.quotas import quota_of
from clusters.facts.regions import regions
from clusters.facts.table import rows
from clusters.quota_needs import UNLIMITED, Limit, limit_in, needs_of, not_listed, too_small
from clusters.quota_warnings import reason
from clusters.spec import Cluster
from tests.unit.program import ROOT, run_program, stack_settings

L4, SPOT_L4 = "NVIDIA-L4-GPUS-per-project-region", "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region"
FAMILY, ALL = "GPUS-PER-GPU-FAMILY-per-project-region", "GPUS-ALL-REGIONS-per-project"
SPOT_V6E, TPU_FAMILY = "PREEMPTIBLE-TPU-V6E-per-project-region", "TPUS-PER-TPU-FAMILY-per-project-region"
G2: dict[str, Any] = {"machine_type": "g2-standard-24", "max_nodes": 4}
A3: dict[str, Any] = {"machine_type": "a3-highgpu-8g", "max_nodes": 2}
V6E: dict[str, Any] = {"machine_type": "ct6e-standard-4t", "max_nodes": 4}


def clusters(**pools: dict[str, Any]) -> dict[str, Cluster]:
    """A cluster for each pool, all in one region."""
    return {
        name: Cluster.model_validate({"region": "us-east4", "slot": slot, "role": "test", "node_pools": {"own": pool}})
        for slot, (name, pool) in enumerate(pools.items())
    }


def told(pools: Mapping[str, Cluster], known: Mapping[str, int]) -> list[str]:
    return list(too_small(needs_of(pools), {name: [Limit({}, [], value)] for name, value in known.items()}))


@pytest.mark.parametrize(
    ("pools", "known", "start", "words"),
    [
        (
            clusters(a=G2),
            {L4: 7},
            "clusters.a.node_pools.own.max_nodes: the pools can grow to 8 nvidia-l4 in us-east4, and the quota "
            f"{L4} of us-east4 is 7; request 8 of it, or write fewer nodes",
            "",
        ),
        (
            clusters(a=G2, b=G2),
            {L4: 8},
            "clusters.a.node_pools.own.max_nodes, clusters.b.node_pools.own.max_nodes: the pools can grow to 16 ",
            "request 16 of it",
        ),
        (
            clusters(a=G2 | {"spot": True}),
            {L4: 100, SPOT_L4: 1},
            "clusters.a.node_pools.own.max_nodes: the pools can grow to 8 nvidia-l4 in us-east4 on spot, flex-start or "
            "queued machines",
            f"{SPOT_L4} of us-east4 is 1; request 8",
        ),
        (clusters(a=G2 | {"flex_start": True}), {SPOT_L4: 1}, "clusters.a.", f"{SPOT_L4} of us-east4 is 1"),
        (clusters(a=G2 | {"queued": True}), {SPOT_L4: 1}, "clusters.a.", f"{SPOT_L4} of us-east4 is 1"),
        # Without a preemptible quota, the standard one counts.
        (
            clusters(a=G2 | {"spot": True}, b=G2),
            {SPOT_L4: 0, L4: 12},
            "clusters.a.node_pools.own.max_nodes: ",
            f"{SPOT_L4} of us-east4 is 0, and {L4} of us-east4, which counts then, is 12; request 8",
        ),
        (clusters(a=G2 | {"spot": True}), {SPOT_L4: 0}, "clusters.a.", f"{SPOT_L4} of us-east4 is 0; request 8"),
        (clusters(a=A3), {FAMILY: 8}, "clusters.a.", f"{FAMILY} (gpu_family=NVIDIA_H100) of us-east4 is 8; request 16"),
        (
            clusters(a=V6E),
            {TPU_FAMILY: 0},
            "clusters.a.",
            f"{TPU_FAMILY} (tpu_family=CT6E) of us-east4 is 0; request 16",
        ),
        (
            clusters(a=G2, b=A3, c=V6E, d=A3 | {"spot": True}),
            {ALL: 23},
            "clusters.a.node_pools.own.max_nodes, clusters.b.node_pools.own.max_nodes: the pools can grow to 24 GPUs "
            "in all regions",
            "clusters/facts/quotas.csv is not sure of this quota",
        ),
    ],
)
def test_each_kind_of_quota_that_is_too_small_is_a_warning(
    pools: dict[str, Cluster], known: dict[str, int], start: str, words: str
) -> None:
    (text,) = told(pools, known)
    assert text.startswith(start)
    assert words in text


@pytest.mark.parametrize(
    ("pools", "known"),
    [
        (clusters(a=G2), {L4: 8, ALL: 8}),
        (clusters(a=G2), {L4: UNLIMITED}),
        # What could not be read.
        (clusters(a=G2, b=A3 | {"spot": True}), {}),
        # Spot and others apart.
        (clusters(a=G2, b=G2 | {"spot": True}), {L4: 8, SPOT_L4: 8}),
        (clusters(a=G2, b=G2 | {"spot": True}), {L4: 16, SPOT_L4: 0}),
        # What a reservation has was counted when it was made.
        (clusters(a=G2 | {"reservation": "mine"}), {L4: 0, ALL: 0}),
        (clusters(a={"machine_type": "n2-standard-8", "max_nodes": 9}), {L4: 0, ALL: 0}),
        # Of TPUs, GPUS-ALL-REGIONS says nothing.
        (clusters(a=V6E | {"spot": True}), {SPOT_V6E: 16, ALL: 0}),
    ],
)
def test_what_is_enough_or_not_known_is_no_warning(pools: dict[str, Cluster], known: dict[str, int]) -> None:
    assert told(pools, known) == []


def test_what_the_table_does_not_know_is_not_asked() -> None:
    assert [need.accelerator for need in needs_of(clusters(a={"machine_type": "a4x-highgpu-4g"}))] == ["all"]
    unknown = {"machine_type": "g9-standard-8", "accelerator": {"type": "nvidia-next"}, "spot": True}
    assert needs_of(clusters(a=unknown)) == []


# As the Cloud Quotas API lists them: more special ones first.
LISTED = [
    Limit({"gpu_family": "NVIDIA_H100", "region": "us-east4"}, ["us-east4"], 16),
    Limit({"gpu_family": "NVIDIA_H100"}, ["us-east5", "us-west1"], 8),
    Limit({"region": "us-west1"}, ["us-west1"], 5),
    Limit({"zone": "us-east4-a"}, ["us-east4-a"], 99),
    Limit({}, ["us-east4", "us-west1", "europe-west4"], 1),
]


@pytest.mark.parametrize(
    ("region", "family", "limit"),
    [
        ("us-east4", "NVIDIA_H100", 16),
        ("us-east5", "NVIDIA_H100", 8),
        ("us-west1", "NVIDIA_H100", 8),
        ("us-west1", "NVIDIA_H200", 5),
        ("europe-west4", "NVIDIA_H100", 1),
        ("asia-east1", "NVIDIA_H100", None),
    ],
)
def test_the_most_special_limit_counts(region: str, family: str, limit: int | None) -> None:
    assert limit_in(LISTED, region, {"gpu_family": family}) == limit
    assert limit_in([*reversed(LISTED)], region, {"gpu_family": family}) == limit


def test_a_limit_of_all_regions_is_found() -> None:
    assert limit_in([Limit({}, ["global"], 4)], "", {}) == 4


def test_a_region_without_a_limit_is_noted() -> None:
    needs = needs_of(clusters(a=A3))
    assert list(not_listed(needs, {FAMILY: [Limit({}, ["us-west1"], 1)]})) == [
        f"{FAMILY} (gpu_family=NVIDIA_H100) of us-east4"
    ]


@pytest.mark.parametrize("row", rows("quotas.csv"), ids=lambda row: f"{row['accelerator']} {row['kind']}")
def test_every_quota_of_the_table_belongs_to_an_accelerator(row: dict[str, str]) -> None:
    gpus = {each for region in regions().values() for each in region.accelerators}
    assert row["accelerator"] in {*gpus, *(each.accelerator for each in tpus().values()), "all"}
    assert (row["kind"] == "preemptible") is row["quota"].startswith("PREEMPTIBLE-")
    assert row["sure"] in ("yes", "no")
    assert row["source"]
    assert row["date"]
    if row["kind"] == "preemptible":
        assert quota_of(row["accelerator"], "standard")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            "googleapi: Error 403: Cloud Quotas API has not been used in project 1 before",
            "enable cloudquotas.googleapis",
        ),
        ("reason: SERVICE_DISABLED", "gcloud services enable cloudquotas.googleapis.com --project mine"),
        ("googleapi: Error 403: Permission 'cloudquotas.quotas.get' denied", "roles/cloudquotas.viewer"),
        ("dial tcp: lookup\n  no such host", "cannot be read: 'dial tcp: lookup no such host'"),
        ("invocation of gcp:f returned an error: no such host", "cannot be read: 'no such host'"),
    ],
)
def test_why_quotas_cannot_be_read_is_a_sentence(error: str, words: str) -> None:
    assert words in reason(error, "mine")
    assert "\n" not in reason(error * 100, "mine")
    assert len(reason(error * 100, "mine")) < 300


def answer(value: str | None, **dimensions: str) -> dict[str, Any]:
    """What the provider returns for a quota with one limit; it leaves out what is 0."""
    details = [] if value is None else [{"value": value}]
    return {"dimensionsInfos": [{"dimensions": dimensions, "applicableLocations": ["us-west1"], "details": details}]}


def run(caplog: pytest.LogCaptureFixture, preview: bool, **quotas: Any) -> list[tuple[int, str]]:
    """What the program says of quotas with the stack dev, which has a spot L4 in us-west1."""
    caplog.set_level(logging.INFO)
    with contextlib.chdir(ROOT):
        ids = {name.replace("_", "-"): each for name, each in quotas.items()}
        run_program("dev", stack_settings("dev"), preview, quotas=ids)
    return [(each.levelno, each.getMessage()) for each in caplog.records if "quota" in each.getMessage()]


@pytest.mark.parametrize("preview", [True, False])
def test_the_program_warns_of_them(caplog: pytest.LogCaptureFixture, preview: bool) -> None:
    found = run(caplog, preview, **{SPOT_L4: answer(None, region="us-west1"), L4: answer("0")})
    levels = [level for level, _ in found]
    assert levels == [logging.WARNING, logging.INFO]
    assert found[0][1].startswith("clusters.training.node_pools.l4.max_nodes: the pools can grow to 1 nvidia-l4")
    assert found[1][1] == f"not all quotas are compared with the pools: no limit is listed of {SPOT_L4} of europe-west1"


def test_the_program_says_nothing_where_quotas_are_enough(caplog: pytest.LogCaptureFixture) -> None:
    assert run(caplog, True) == []


def test_what_cannot_be_read_is_one_note_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    off = "Error 403: Cloud Quotas API has not been used in project 1 before or it is disabled"
    ((level, text),) = run(caplog, True, **{SPOT_L4: off, L4: off})
    assert level == logging.INFO
    assert text == (
        "not all quotas are compared with the pools: the Cloud Quotas API is off; to turn it on: gcloud services "
        "enable cloudquotas.googleapis.com --project my-project"
    )
