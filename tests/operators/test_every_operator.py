"""Every operator that is known by name, in every member, and what it is for: `make test-operators`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.operated import check_ready
from tests.e2e.project import Project, eventually
from tests.e2e.test_operators import MEMBERS
from tests.e2e.test_queued import ELSEWHERE, HERE, NEAR, copy_of

pytestmark = pytest.mark.timeout(3600)

MANAGERS = {
    "lws": "lws-system/lws-controller-manager",
    "kuberay": "default/kuberay-operator",
    "trainer": "kubeflow-system/kubeflow-trainer-controller-manager",
}


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("operator", MANAGERS)
def test_every_member_has_the_operator(operated: Project, operator: str, member: str) -> None:
    check_ready(operated, member, MANAGERS[operator])


def test_others_are_made_where_they_are_placed_and_seen_by_their_operators(operated: Project) -> None:
    for name in ("groups", "ray", "train"):
        objects: list[dict[str, Any]] = list(
            yaml.safe_load_all(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))
        )
        operated.declare_workload(name, "ai", NEAR, *objects)
    operated.shell("pulumi up --yes --skip-preview").ok()
    api = operated.api(HERE)

    def check_all() -> None:
        pods = api.list("/api/v1/namespaces/ai/pods")
        on_nodes = [each for each in pods if each["spec"].get("nodeName")]
        assert sum("leaderworkerset.sigs.k8s.io/name" in each["metadata"]["labels"] for each in on_nodes) == 4
        assert sum("ray.io/cluster" in each["metadata"]["labels"] for each in on_nodes) >= 3
        assert copy_of(api, "torch")["status"]["terminalState"] == "Completed"

    eventually(check_all, 90)
    for member in ELSEWHERE:
        assert operated.api(member).list("/api/v1/namespaces/ai/pods") == []
    status = operated.make("status").ok().output
    for each in ("groups", "ray", "train"):
        assert f"\n{each} " in status, status
    operated.shell("pulumi preview --refresh --expect-no-changes").ok()
