"""A Job starts when the pods of the one before have ended."""

from collections.abc import Iterator

import pulumi
import pytest

from federation import job_pods
from federation.job_pods import await_ended, earlier_pods


def pod(phase: str, *owners: str) -> dict[str, object]:
    return {"metadata": {"ownerReferences": [{"uid": each} for each in owners]}, "status": {"phase": phase}}


def job(uid: str, **metadata: str) -> dict[str, object]:
    return {"metadata": {"uid": uid, **metadata}}


def test_pods_count_that_run_and_belong_to_no_job_that_stays() -> None:
    jobs = [job("new"), job("old", deletionTimestamp="2026-01-01T00:00:00Z")]
    assert earlier_pods([pod("Running", "new")], jobs) == 0
    assert earlier_pods([pod("Running", "old"), pod("Pending", "gone"), pod("Running")], jobs) == 3
    assert earlier_pods([pod("Succeeded", "old"), pod("Failed")], jobs) == 0
    assert earlier_pods([{"metadata": {}}], []) == 1


def test_pods_of_another_kind_count_unless_their_object_stays() -> None:
    pods = [pod("Running", "a-job-of-it"), pod("Succeeded", "a-job-of-it")]
    stays, goes, other = job("1", name="train"), job("2", name="train", deletionTimestamp="x"), job("3", name="other")
    assert earlier_pods(pods, [], "train", [stays]) == 0
    assert earlier_pods(pods, [], "train", [goes, other]) == 1
    assert earlier_pods(pods, [], "train", []) == 1


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(job_pods, "_PAUSE", 0.0)


def test_it_waits_for_every_member_and_says_for_which(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", said.append)
    left: Iterator[dict[str, int]] = iter([{"a": 2, "b": 1}, {"a": 2, "b": 1}, {"a": 0, "b": 1}, {"a": 0, "b": 0}])
    await_ended("Job ai/train", "", lambda: next(left))
    assert next(left, None) is None
    assert [each.rpartition(": ")[2] for each in said] == ["2 in a, 1 in b", "1 in b"]


def test_pods_that_never_end_end_the_run_with_what_to_do() -> None:
    with pytest.raises(pulumi.RunError, match=r"1 in a.*delete pods -n ai -l batch.kubernetes.io/job-name=train"):
        await_ended(
            "Job ai/train", "kubectl delete pods -n ai -l batch.kubernetes.io/job-name=train", lambda: {"a": 1}, 0
        )
