"""A list that an API server says to be null has nothing in it."""

import json

import pytest
import yaml

from local.api import Api
from local.kubernetes.objects import Objects
from tests.unit.api_server import api_server, kubeconfig

NODES = "/api/v1/nodes"
ANSWERS = {
    NODES: {"apiVersion": "v1", "kind": "NodeList", "metadata": {"resourceVersion": "1"}, "items": None},
    "/apis/apps/v1": {"kind": "APIResourceList", "resources": None},
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def test_null_is_an_empty_list() -> None:
    with api_server({path: (200, json.dumps(each).encode()) for path, each in ANSWERS.items()}) as url:
        objects = Objects(lambda: Api(yaml.safe_load(kubeconfig(url))), "default")
        assert objects.list(NODES) == []
        assert next(objects.follow_all(NODES, seconds=5)) is None
        assert objects.find({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}) is None
