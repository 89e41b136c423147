"""The node agent: runs the pods of KubeFed's controller and of operators as processes, as a kubelet runs containers.

One agent serves every control plane of a local stack. kwok ignores pods with REAL_LABEL or REAL_ANNOTATION; the agent
starts each whose image it has a program for (local/programs.py) as a process with the pod's own arguments, a token of
its ServiceAccount and the files of its volumes, reports the result of its readiness probe, restarts it when it ends,
and ends it when the pod is deleted.

    python -m local.node_agent HOME

runs until it is killed. `ensure` starts one in the background.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from local.api import Api, ApiError, Unreachable
from local.control_plane import ControlPlane
from local.kwok_config import REAL_ANNOTATION, REAL_LABEL
from local.paths import PROJECT, Home, write_atomically
from local.pod import Pod
from local.pod_status import now
from placement.api.lookup import texts


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
        present = {pod["metadata"]["uid"] for pod in api.list("/api/v1/pods")}
        for gone in [uid for uid in self._pods if uid not in present]:
            self._pods.pop(gone).end(0)
        for event in api.watch("/api/v1/pods", seconds=300):
            if event["type"] == "ERROR":
                return
            if is_real(event["object"]):
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
            folder = self._home.agent / self._plane.name / f"{metadata['namespace']}.{metadata['name']}"
            self._pods[uid] = Pod(api, self._plane, folder, body)


def is_real(pod: Mapping[str, Any]) -> bool:
    """Whether a pod runs as a process, and is not simulated by kwok."""
    found = {key: texts(pod["metadata"].get(key)) for key in ("labels", "annotations")}
    marks = {"labels": REAL_LABEL, "annotations": REAL_ANNOTATION}
    return any(found[kind].get(key) == value for kind, (key, value) in marks.items())


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


def _log(text: str) -> None:
    print(f"{now()} {text}", flush=True)


if __name__ == "__main__":
    main()
