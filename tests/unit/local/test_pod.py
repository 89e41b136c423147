"""A pod that runs as a process: what its node reports of it, from its start to its end."""

import ipaddress
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from local import pod as pods
from local.api import Api, ApiError
from local.control_plane import ControlPlane
from local.pod import Pod

# It answers its probe until it is told to end, and writes what it was started with.
PROGRAM = f"""#!{sys.executable}
import http.server, json, os, sys
flags = dict(word.split("=", 1) for word in sys.argv[1:])
with open("started", "w") as file:
    json.dump([flags, dict(os.environ)], file)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
host, port = flags["--healthz-addr"].split(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
BODY: dict[str, Any] = {
    "metadata": {"namespace": "system", "name": "manager", "uid": "127898d8-49a8-4e9a-b60b-346312d723ef"},
    "spec": {
        "serviceAccountName": "account",
        "containers": [
            {
                "name": "manager",
                "image": "quay.io/kubernetes-multicluster/kubefed:v0.10.0",
                "args": ["--config=/etc/manager/config.yaml"],
                "env": [{"name": "MODE", "value": "x"}],
                "ports": [{"name": "health", "containerPort": 8080}],
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": "health"}, "periodSeconds": 1},
                "volumeMounts": [{"name": "config", "mountPath": "/etc/manager"}],
            }
        ],
        "volumes": [{"name": "config", "configMap": {"name": "config"}}],
    },
}
PATH = "/api/v1/namespaces/system/pods/manager"


@dataclass
class FakeApi:
    """An API server that keeps what the node reports."""

    statuses: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    config: str = "a: 1"
    deleted: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str) -> Any:
        if path != "/api/v1/namespaces/system/configmaps/config":
            raise ApiError(404, path)
        return {"data": {"config.yaml": self.config}}

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        assert path == "/api/v1/namespaces/system/serviceaccounts/account/token"
        return {"status": {"token": "a token"}}

    def merge(self, path: str, body: Mapping[str, Any]) -> None:
        assert path == f"{PATH}/status"
        self.statuses.append(body["status"])

    def delete(self, path: str, **parameters: str) -> None:
        assert path == PATH
        self.deleted.set()

    def ready(self) -> bool:
        return any(each["containerStatuses"][0]["ready"] for each in self.statuses)


def started(api: FakeApi, folder: Path, program: str = "") -> Pod:
    binaries = folder / "bin"
    binaries.mkdir()
    if program:
        (binaries / "hyperfed").write_text(program)
        (binaries / "hyperfed").chmod(0o755)
    plane = SimpleNamespace(name="member", binaries=binaries, endpoint="127.0.0.1:1", certificate_authority="CA")
    return Pod(cast(Api, api), cast(ControlPlane, plane), folder / "pod", BODY)


def wait(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_process_has_what_its_container_would(tmp_path: Path) -> None:
    api = FakeApi()
    pod = started(api, tmp_path, PROGRAM)
    wait(api.ready)
    flags, environment = yaml.safe_load((tmp_path / "pod" / "started").read_text())
    config = tmp_path / "pod" / "root" / "etc" / "manager" / "config.yaml"
    assert (flags["--config"], config.read_text()) == (str(config), "a: 1")
    kubeconfig = yaml.safe_load(Path(flags["--kubeconfig"]).read_text())
    assert Path(kubeconfig["users"][0]["user"]["tokenFile"]).read_text() == "a token"
    assert environment["MODE"] == "x"
    # What it keeps beside temporary files of its own is kept in the pod's folder.
    assert Path(environment["TMPDIR"]).is_relative_to(tmp_path / "pod")
    # Endpoints may not have an address of the loopback interface.
    assert not ipaddress.ip_address(api.statuses[-1]["podIP"]).is_loopback
    pod.end(5)
    assert api.deleted.wait(10)


def test_what_a_volume_holds_is_written_when_it_changes(tmp_path: Path) -> None:
    # An operator may be Ready before it has written the Secret that it serves a certificate from.
    api = FakeApi()
    pod = started(api, tmp_path, PROGRAM)
    wait(api.ready)
    api.config = "a: 2"
    wait(lambda: (tmp_path / "pod" / "root" / "etc" / "manager" / "config.yaml").read_text() == "a: 2")
    pod.end(5)
    assert api.deleted.wait(10)


def test_one_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods, "_RESTART_SECONDS", 0.01)
    api = FakeApi()
    pod = started(api, tmp_path, f"#!{sys.executable}\n")
    wait(lambda: api.statuses and api.statuses[-1]["containerStatuses"][0]["restartCount"] > 1)
    assert not api.ready()
    pod.end(0)
    assert api.deleted.wait(10)


def test_one_whose_program_is_not_built_says_so(tmp_path: Path) -> None:
    api = FakeApi()
    pod = started(api, tmp_path)
    wait(lambda: api.statuses)
    state = api.statuses[0]["containerStatuses"][0]["state"]
    assert "no program for quay.io/kubernetes-multicluster/kubefed:v0.10.0 is built" in state["waiting"]["message"]
    pod.end(0)
    assert api.deleted.wait(10)
