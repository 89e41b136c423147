"""The node agent: runs the KubeFed controller's pods as real processes, as a kubelet would run their containers.

One agent serves every control plane of a local stack. kwok ignores pods with the label REAL_PODS; the agent starts
each as a process with the pod's own arguments and a token of the pod's ServiceAccount, reports the result of its
readiness probe, restarts it when it ends, and ends it when the pod is deleted.

    python -m local.node_agent HOME

runs until it is killed. `ensure` starts one in the background.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import urllib3
import yaml

from local.api import Api, ApiError, Unreachable
from local.control_plane import REAL_PODS, ControlPlane
from local.paths import PROJECT, Home, write_atomically

# The program that this machine runs in place of an image. The flags set where it listens in place of a container's
# port: a process has no network of its own.
_PROGRAMS = {"quay.io/kubernetes-multicluster/kubefed": "hyperfed"}
_PORT_FLAGS = {8080: "--healthz-addr", 9090: "--metrics-addr"}

_TOKEN_SECONDS = 24 * 3600
_RESTART_SECONDS = 1.0
_PROBE_SECONDS = 0.2


def ensure(home: Home) -> None:
    """Starts the agent in the background unless it is running."""
    if agent_process(home):
        return
    home.agent.mkdir(parents=True, exist_ok=True)
    with (home.agent / "log").open("a") as log:
        subprocess.Popen(
            [sys.executable, "-m", "local.node_agent", str(home.root)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def agent_process(home: Home) -> psutil.Process | None:
    """The running agent of this local stack."""
    with suppress(FileNotFoundError, ValueError, psutil.Error):
        process = psutil.Process(int((home.agent / "pid").read_text()))
        if str(home.root) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def pod_processes(home: Home) -> list[psutil.Process]:
    """The processes that the agent runs pods as."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(word.startswith(f"--kubeconfig={home.agent}/") for word in process.cmdline()):
                found.append(process)
    return found


class Pod:
    """One pod that runs as a process."""

    def __init__(self, api: Api, plane: ControlPlane, folder: Path, body: Mapping[str, Any]) -> None:
        self._api, self._plane, self._folder, self._body = api, plane, folder, body
        metadata = body["metadata"]
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self._ending = threading.Event()
        self._grace = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self, grace: int) -> None:
        """Ends the process and then the pod."""
        self._grace = grace
        self._ending.set()

    def _run(self) -> None:
        restarts = 0
        while not self._ending.is_set():
            try:
                self._run_once(restarts)
            except (ApiError, Unreachable) as error:
                _log(f"{self._path}: {error}")
            restarts += 1
            self._ending.wait(_RESTART_SECONDS)
        with suppress(ApiError, Unreachable):
            self._api.delete(self._path, gracePeriodSeconds="0")

    def _run_once(self, restarts: int) -> None:
        container = self._body["spec"]["containers"][0]
        ports = dict(zip(_PORT_FLAGS, _free_ports(len(_PORT_FLAGS)), strict=True))
        self._write_credentials()
        command = [
            *container["command"],
            *container.get("args", []),
            f"--kubeconfig={self._folder / 'kubeconfig'}",
            *(f"{flag}=127.0.0.1:{ports[port]}" for port, flag in _PORT_FLAGS.items()),
        ]
        command[0] = Path(command[0]).name
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("a") as log:
            process = subprocess.Popen(
                command,
                executable=self._plane.binaries / _program(container["image"]),
                cwd=self._folder,
                env={"PATH": ""},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._report_readiness(process, container, ports, restarts)
        finally:
            self._stop(process)

    def _report_readiness(
        self, process: subprocess.Popen[bytes], container: Any, ports: dict[int, int], restarts: int
    ) -> None:
        """Reports the readiness of the process until it ends or is to end."""
        probe = container["readinessProbe"]["httpGet"]
        named = {port["name"]: port["containerPort"] for port in container["ports"]}
        health = f"http://127.0.0.1:{ports[named.get(probe['port'], probe['port'])]}{probe['path']}"
        started, signed_in = _now(), time.monotonic()
        ready: bool | None = None
        while process.poll() is None and not self._ending.is_set():
            answer = _answers(health)
            if answer is not ready:
                ready = answer
                self._report(container, started, ready, restarts)
            if time.monotonic() - signed_in > _TOKEN_SECONDS / 2:
                signed_in = time.monotonic()
                self._write_credentials()
            self._ending.wait(_PROBE_SECONDS if not ready else probe.get("periodSeconds", 1))
        if not self._ending.is_set():
            self._report(container, started, False, restarts + 1)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self._grace)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()

    def _write_credentials(self) -> None:
        """Writes a kubeconfig of the pod's ServiceAccount; the client reads the token's file again when it ages."""
        metadata, spec = self._body["metadata"], self._body["spec"]
        account = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{spec['serviceAccountName']}/token"
        request = {"spec": {"expirationSeconds": _TOKEN_SECONDS}}
        write_atomically(self._folder / "token", self._api.create(account, request)["status"]["token"])
        cluster = {
            "server": f"https://{self._plane.endpoint}",
            "certificate-authority-data": self._plane.certificate_authority,
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "pod",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "account", "user": {"tokenFile": str(self._folder / "token")}}],
            "contexts": [{"name": "pod", "context": {"cluster": "cluster", "user": "account"}}],
        }
        write_atomically(self._folder / "kubeconfig", yaml.safe_dump(config))

    def _report(self, container: Any, started: str, ready: bool, restarts: int) -> None:
        state = "True" if ready else "False"
        conditions = [
            {"type": kind, "status": status, "lastTransitionTime": _now()}
            for kind, status in (
                ("PodScheduled", "True"),
                ("Initialized", "True"),
                ("ContainersReady", state),
                ("Ready", state),
            )
        ]
        status = {
            "phase": "Running",
            "hostIP": "127.0.0.1",
            "podIP": "127.0.0.1",
            "startTime": started,
            "conditions": conditions,
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": ready,
                    "started": True,
                    "restartCount": restarts,
                    "state": {"running": {"startedAt": started}},
                }
            ],
        }
        self._api.merge(f"{self._path}/status", {"status": status})


class PodWatcher:
    """Watches one control plane for pods that run as real processes."""

    def __init__(self, home: Home, plane: ControlPlane) -> None:
        self._home, self._plane, self._pods = home, plane, dict[str, Pod]()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while self._plane.kubeconfig.exists():
            try:
                self._watch()
            except (ApiError, Unreachable, OSError, ValueError, KeyError) as error:
                _log(f"{self._plane.name}: {error}")
                time.sleep(0.5)
        for pod in self._pods.values():
            pod.end(0)

    def _watch(self) -> None:
        api = Api(self._plane)
        present = {pod["metadata"]["uid"] for pod in api.list("/api/v1/pods", labelSelector=REAL_PODS)}
        for gone in [uid for uid in self._pods if uid not in present]:
            self._pods.pop(gone).end(0)
        for event in api.watch("/api/v1/pods", seconds=300, labelSelector=REAL_PODS):
            if event["type"] == "ERROR":
                return
            self._handle(api, event["type"], event["object"])

    def _handle(self, api: Api, change: str, body: Mapping[str, Any]) -> None:
        metadata = body["metadata"]
        uid, ending = metadata["uid"], "deletionTimestamp" in metadata
        if change == "DELETED":
            if uid in self._pods:
                self._pods.pop(uid).end(0)
        elif ending and uid in self._pods:
            self._pods[uid].end(metadata.get("deletionGracePeriodSeconds", 0))
        elif ending:
            api.delete(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}", gracePeriodSeconds="0")
        elif uid not in self._pods and body["spec"].get("nodeName"):
            self._pods[uid] = Pod(api, self._plane, self._home.agent / self._plane.name / metadata["name"], body)


def main() -> None:
    """Watches every control plane of a local stack, later ones included."""
    home = Home(Path(sys.argv[1]))
    home.agent.mkdir(parents=True, exist_ok=True)
    with (home.agent / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another agent is running
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        write_atomically(home.agent / "pid", str(os.getpid()))
        # Pods of a killed agent are restarted as children of this one.
        for process in pod_processes(home):
            process.kill()
        watchers: dict[str, PodWatcher] = {}
        while home.agent.exists():
            for folder in home.clusters.glob("*/ready"):
                name = folder.parent.name
                if name not in watchers or not watchers[name].thread.is_alive():
                    watchers[name] = PodWatcher(home, ControlPlane(name, folder.parent, home.binaries))
            time.sleep(0.2)


def _program(image: str) -> str:
    name = image.rpartition("@")[0] or image
    repository = name.rpartition(":")[0] or name
    return _PROGRAMS[repository]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=1, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _log(text: str) -> None:
    print(f"{_now()} {text}", flush=True)


if __name__ == "__main__":
    main()
