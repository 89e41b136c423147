"""A first placement: KubeFed's scheduler is refused a write that comes too early, and loses no time by it."""

import time
from typing import Any

from docs.measure_placement import DEPLOYMENT, FINALIZERS, SERVING
from local.api import Api
from placement.api.kinds import BUILT_IN
from placement.preferences import preference, selector
from tests.e2e.pods import replicas
from tests.e2e.project import Project

KIND = BUILT_IN["deployments.apps"]
OBJECTS = "/apis/types.kubefed.io/v1beta1/namespaces/ai/federateddeployments"
PREFERENCES = "/apis/scheduling.kubefed.io/v1alpha1/namespaces/ai/replicaschedulingpreferences"
# What KubeFed waits after a failed write that nothing follows.
BACK_OFF = 5


def create(host: Api, name: str) -> None:
    """What the program makes of a Deployment of 3, in the same order."""
    metadata: dict[str, Any] = {"name": name, "namespace": "ai"}
    chosen = {"apiVersion": "scheduling.kubefed.io/v1alpha1", "kind": "ReplicaSchedulingPreference"}
    host.create(PREFERENCES, {**chosen, "metadata": metadata, "spec": preference(KIND, SERVING, {})})
    template = {"metadata": {"labels": {"app": name}}, "spec": DEPLOYMENT["spec"]}
    placement: dict[str, Any] = {"clusters": [], "clusterSelector": selector(list(SERVING))}
    body = {"apiVersion": "types.kubefed.io/v1beta1", "kind": KIND.federated_kind}
    spec = {"template": template, "placement": placement}
    host.create(OBJECTS, {**body, "metadata": {**metadata, "finalizers": list(FINALIZERS)}, "spec": spec})


def desired(project: Project, name: str) -> int:
    found = (replicas(project.api(cluster), "ai", name) for cluster in SERVING)
    return sum(each[0] for each in found if each)


def test_no_deployment_waits_for_kubefeds_back_off(project: Project) -> None:
    host = project.api("training")
    slow: list[str] = []
    for number in range(15):
        name = f"first-{number}"
        begin = time.monotonic()
        create(host, name)
        while desired(project, name) < 3 and time.monotonic() - begin < 2 * BACK_OFF:
            time.sleep(0.05)
        if time.monotonic() - begin >= BACK_OFF:
            slow.append(name)
        for path in (PREFERENCES, OBJECTS):
            host.delete(f"{path}/{name}")
    assert slow == []
