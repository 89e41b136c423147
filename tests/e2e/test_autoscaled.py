"""A Deployment and its autoscaler: who decides the replicas, and how that passes from one to the other and back.

The autoscaler is Kubernetes' own. It has no metrics here, and so keeps between its minimum and its maximum what it is
given, which `kubectl scale` does in its place.

From the moment when it has taken over, every write to the copies is recorded while the other tests run, and judged at
the end of five minutes.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import Event, Thread
from typing import Any

import pytest

from tests.e2e.pods import replicas
from tests.e2e.project import Project, eventually
from tests.e2e.versions import needs_policies
from tests.e2e.writes import Writes
from tests.objects import deployment

# Below Kubernetes 1.36, such a workload is refused.
pytestmark = [needs_policies, pytest.mark.timeout(900)]

DEPLOYMENT = deployment("served", {"containers": [{"name": "served", "image": "served:1"}]}, replicas=3)
AUTOSCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "served"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "served"},
        "minReplicas": 3,
        "maxReplicas": 9,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
    },
}
MEMBERS = ("serving", "serving-asia")
PATH = "/apis/apps/v1/namespaces/ai/deployments/served"
# The name of its process, which is its name as a field manager.
KUBEFED = "controller-manager"
# Long enough for many rounds of the autoscaler, and of KubeFed.
_WATCHED_SECONDS = 300


def declare(project: Project, *objects: dict[str, Any]) -> None:
    placement = {"policy": "spread", "select": {"role": "serving"}}
    project.declare_workload("served", "ai", placement, *objects)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("autoscaled"))
    settings = project.settings()
    types = ["deployments.apps", "horizontalpodautoscalers.autoscaling"]
    settings["config"]["geo-federation:federation"]["types"] = types
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    declare(project, DEPLOYMENT)
    with project.taken_down():
        project.make("up").ok()
        yield project


def desired(project: Project) -> list[int]:
    found = [replicas(project.api(name), "ai", "served") for name in MEMBERS]
    return [each[0] for each in found if each]


def check_desired(project: Project, *counts: int) -> None:
    assert desired(project) == [*counts]


def copies(project: Project) -> list[dict[str, Any]]:
    return [project.api(name).get(PATH) for name in MEMBERS]


def scale(project: Project, count: int) -> None:
    """Does what an autoscaler with a metric does."""
    for name in MEMBERS:
        project.kubectl(name, f"scale -n ai deployment served --replicas={count}").ok()


@contextmanager
def never_below(project: Project, *counts: int) -> Generator[None]:
    """That no copy has fewer replicas than these, or is gone, at any moment of the block."""
    apis, over, less = [project.api(name) for name in MEMBERS], Event(), list[Any]()

    def look() -> None:
        while not over.wait(0.1):
            now = [replicas(api, "ai", "served") for api in apis]
            if any(each is None or each[0] < count for each, count in zip(now, counts, strict=True)):
                less.append(now)

    thread = Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert less == []


def run(project: Project) -> None:
    project.shell("pulumi up --yes --skip-preview").ok()


@pytest.fixture(scope="module")
def before(project: Project) -> list[int]:
    """The replicas before there is an autoscaler."""
    return desired(project)


def test_an_autoscaler_takes_over_without_a_replica_less(project: Project, before: list[int]) -> None:
    assert sorted(before) == [1, 2]
    with never_below(project, *before):
        declare(project, DEPLOYMENT, AUTOSCALER)
        run(project)
        time.sleep(5)
    minima = [project.objects(name, "hpa -n ai")[0]["spec"]["minReplicas"] for name in MEMBERS]
    assert sum(minima) == 3


@pytest.fixture(scope="module")
def writes(project: Project) -> Iterator[Writes]:
    """What is written to the copies from the first test that needs it on, when the autoscaler has taken over."""
    with Writes({name: project.api(name) for name in MEMBERS}, PATH) as found:
        yield found


def test_a_changed_template_reaches_the_copies_and_leaves_the_replicas(project: Project, writes: Writes) -> None:
    scale(project, 4)
    assert KUBEFED in writes.managers()
    changed = deepcopy(DEPLOYMENT)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "served:2"
    with never_below(project, 4, 4):
        declare(project, changed, AUTOSCALER)
        run(project)
    for each in copies(project):
        assert each["spec"]["template"]["spec"]["containers"][0]["image"] == "served:2"
    check_desired(project, 4, 4)
    assert {after.cluster for _, after in writes.of(KUBEFED)} == {*MEMBERS}
    project.check_unchanged("--refresh")


def test_a_raised_minimum_is_divided_and_the_autoscaler_follows(project: Project) -> None:
    raised = deepcopy(AUTOSCALER)
    raised["spec"] |= {"minReplicas": 12, "maxReplicas": 20}
    declare(project, DEPLOYMENT, raised)
    run(project)
    eventually(lambda: check_desired(project, 6, 6), seconds=60)


def test_replicas_follow_the_autoscaler_for_minutes_and_kubefed_writes_none(project: Project, writes: Writes) -> None:
    before = writes.of(KUBEFED)
    count = 7
    while writes.seconds < _WATCHED_SECONDS:
        scale(project, count)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            check_desired(project, count, count)
            time.sleep(0.5)
        count = 6 + count % 5
    # The template was changed and changed back, and of no replicas has KubeFed written others.
    assert writes.of(KUBEFED) == before
    assert Counter(after.cluster for _, after in before) == dict.fromkeys(MEMBERS, 2)
    assert [(old, new) for old, new in before if old.replicas != new.replicas] == []


def test_kubefed_takes_the_replicas_back(project: Project, before: list[int]) -> None:
    declare(project, DEPLOYMENT)
    run(project)
    eventually(lambda: check_desired(project, *before), seconds=60)
    for name in MEMBERS:
        assert project.objects(name, "hpa -n ai") == []
    project.check_unchanged("--refresh")
