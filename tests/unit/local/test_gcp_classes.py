"""The stand-in for Google Cloud: compute classes, node auto-provisioning, and images at hand."""

from pathlib import Path
from typing import Any

import pytest

from local.api import ApiError
from local.gcp.compute_classes import compute_class_crd, ensure_compute_classes
from local.gcp.network_crds import ensure_networks
from tests.unit.local.google import CLUSTER, POOL, Google, changed, stand_in

LIMITS: list[dict[str, Any]] = [
    {"resourceType": "cpu", "minimum": 0, "maximum": 100},
    {"resourceType": "memory", "minimum": 0, "maximum": 400},
    {"resourceType": "nvidia-l4", "maximum": 4},
]


@pytest.fixture
def google(tmp_path: Path) -> Google:
    return Google(tmp_path)


def autoscaling(**changes: Any) -> dict[str, Any]:
    return changed(CLUSTER, {"clusterAutoscaling": {"enabled": True, "resourceLimits": LIMITS} | changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"enabled": False, "resourceLimits": []},
        {"autoProvisioningLocations": ["us-west1-b"], "autoscalingProfile": "OPTIMIZE_UTILIZATION"},
        {"autoProvisioningDefaults": {"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 1}, "diskSize": 20}},
    ],
)
def test_what_gke_takes_of_auto_provisioning_is_taken(google: Google, changes: dict[str, Any]) -> None:
    assert google.check(CLUSTER, autoscaling(**changes)) == {}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"resourceLimits": LIMITS[:1]}, "must be defined to enable node auto-provisioning; memory is missing"),
        ({"resourceLimits": [*LIMITS, {"resourceType": "cpu", "maximum": 1}]}, "'cpu' is given twice"),
        ({"resourceLimits": [*LIMITS, {"resourceType": "gpus", "maximum": 1}]}, "resource type 'gpus' does not exist"),
        ({"resourceLimits": [*LIMITS, {"resourceType": "nvidia-b200"}]}, "Missing required argument: maximum"),
        (
            {"resourceLimits": [*LIMITS, {"resourceType": "nvidia-b200", "minimum": 9, "maximum": 8}]},
            "minimum 9 of nvidia-b200 must be from 0 to its maximum, 8",
        ),
        ({"autoscalingProfile": "FAST"}, "Must be one of BALANCED, OPTIMIZE_UTILIZATION"),
        ({"autoProvisioningLocations": ["us-east1-b"]}, "'us-east1-b' is not a zone of us-west1"),
        ({"autoProvisioningDefaults": {"diskSize": 5}}, "It must be at least 10"),
        ({"autoProvisioningDefaults": {"upgradeSettings": {"maxSurge": 0}}}, "at least one must be above 0"),
    ],
)
def test_what_gke_refuses_of_auto_provisioning_is_refused(google: Google, changes: dict[str, Any], text: str) -> None:
    found = google.check(CLUSTER, autoscaling(**changes))
    assert any(text in each for each in found.values()), found


def test_auto_provisioning_changes_a_cluster_in_place(google: Google) -> None:
    updates, replaces = google.diff(CLUSTER, autoscaling())
    assert updates and not replaces


IMAGE = {"diskImage": "projects/p/global/images/models", "mode": "CONTAINER_IMAGE_CACHE"}


@pytest.mark.parametrize(
    ("disks", "streams", "text"),
    [
        ([IMAGE], True, ""),
        ([IMAGE], False, "need image streaming"),
        ([IMAGE, IMAGE], True, "is given twice"),
        ([IMAGE | {"diskImage": "models"}], True, "It must be projects/P/global/images/I"),
        ([IMAGE | {"mode": "CACHE"}], True, "Must be one of MODE_UNSPECIFIED, CONTAINER_IMAGE_CACHE"),
    ],
)
def test_images_at_hand_need_image_streaming(google: Google, disks: list[Any], streams: bool, text: str) -> None:
    inputs = changed(POOL, {"nodeConfig.secondaryBootDisks": disks, "nodeConfig.gcfsConfig": {"enabled": streams}})
    found = google.check(POOL, inputs)
    assert text in "".join(found.values()) and bool(found) == bool(text)


def test_other_images_are_another_pool(google: Google) -> None:
    inputs = changed(POOL, {"nodeConfig.secondaryBootDisks": [IMAGE], "nodeConfig.gcfsConfig": {"enabled": True}})
    assert google.diff(POOL, inputs)[1]


class Server:
    """An API server that serves each type some time after it was created."""

    def __init__(self, *statuses: str) -> None:
        self.statuses, self.created = [*statuses], list[str]()

    def get(self, path: str) -> dict[str, Any]:
        if self.statuses[:1] == ["absent"]:
            raise ApiError(404, "not found")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"status": {"conditions": [{"type": "Established", "status": status}]}}

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.created.append(body["metadata"]["name"])
        self.statuses.pop(0)
        return {}


def test_a_cluster_serves_its_types_before_anything_else_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.gcp.crds._STEP", 0)
    server: Any = Server("absent", "False", "True")
    ensure_compute_classes(server)
    assert server.created == ["computeclasses.cloud.google.com"] and server.statuses == ["True"]
    networks: Any = Server("absent", "False", "True", "absent", "True")
    ensure_networks(networks)
    assert networks.created == ["networks.networking.gke.io", "gkenetworkparamsets.networking.gke.io"]
    assert networks.statuses == ["True"]
    there: Any = Server("True")
    ensure_compute_classes(there)
    assert there.created == []
    monkeypatch.setattr("local.gcp.crds._SECONDS", 0)
    never: Any = Server("False")
    with pytest.raises(ApiError, match="is not served"):
        ensure_compute_classes(never)


def test_a_cluster_has_the_type_of_compute_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    google, nodes = stand_in(tmp_path, monkeypatch)
    monkeypatch.setattr("local.gcp.cluster.ensure_compute_classes", made.append)
    google.build()
    assert made == [nodes]


def test_the_type_has_the_defaults_that_gke_documents() -> None:
    (version,) = compute_class_crd()["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert compute_class_crd()["spec"]["scope"] == "Cluster"
    assert spec["whenUnsatisfiable"]["default"] == "ScaleUpAnyway"
    assert spec["nodePoolAutoCreation"]["properties"]["enabled"]["default"] is False
