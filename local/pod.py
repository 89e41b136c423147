"""One pod that runs as a process, from its start until its pod is deleted."""

import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import urllib3
import yaml

from local import pod_status
from local.api import Api, ApiError, Unreachable
from local.control_plane import ControlPlane
from local.paths import write_atomically
from local.pod_files import mounts, write_credentials, write_volumes
from local.ports import LOOPBACK, free_ports
from local.programs import Program, command, config_file, filled, merged, program_of, relocated
from local.services import Forwards, addresses

_TOKEN_SECONDS = 24 * 3600
_RESTART_SECONDS = 1.0
_MISSING_SECONDS = 10.0
_PROBE_SECONDS = 0.2
# How often a volume is written again: as often as by a kubelet, and at each probe of a process that has just started.
_SYNC_SECONDS = 60.0
_YOUNG_SECONDS = 30.0
# How soon a process gets the connections of a Service that is made after it.
_SERVICE_SECONDS = 2.0


class Pod:
    """One pod that runs as a process."""

    def __init__(self, api: Api, plane: ControlPlane, folder: Path, body: Mapping[str, Any]) -> None:
        self._api, self._plane, self._folder, self._body = api, plane, folder, body
        metadata = body["metadata"]
        self._namespace = f"/api/v1/namespaces/{metadata['namespace']}"
        self._path = f"{self._namespace}/pods/{metadata['name']}"
        self._container = body["spec"]["containers"][0]
        self._program = program_of(self._container["image"]) or Program("")
        self._root = folder / "root"
        self._forwards = Forwards()
        self._ending = threading.Event()
        self._grace = self._restarts = 0
        self._logged = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self, grace: int) -> None:
        """Ends the process and then the pod."""
        self._grace = grace
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._run_once()
            except (ApiError, Unreachable, OSError) as error:
                self._log(str(error))
            self._ending.wait(_RESTART_SECONDS)
        with suppress(ApiError, Unreachable):
            self._api.delete(self._path, gracePeriodSeconds="0")

    def _run_once(self) -> None:
        executable = self._plane.binaries / self._program.binary
        if not executable.is_file():
            reason = f"no program for {self._container['image']} is built; see local/programs.py and local/operators.py"
            self._report(pod_status.waiting(self._body, reason))
            self._ending.wait(_MISSING_SECONDS)
            return
        ports = dict(zip(self._program.ports, free_ports(len(self._program.ports)), strict=True))
        self._write_credentials()
        words = self._prepare(ports)
        with (self._folder / "log").open("a") as log:
            process = subprocess.Popen(
                words,
                executable=executable,
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._report_readiness(process, ports)
        finally:
            self._restarts += 1
            self._forwards.set({})
            self._stop(process)

    def _prepare(self, ports: Mapping[int, int]) -> list[str]:
        """Writes the files that the program reads. Returns its command."""
        own = mounts(self._container, self._root)
        for marker in self._program.markers:
            Path(marker).parent.mkdir(parents=True, exist_ok=True)
            Path(marker).touch()
        (self._root / "tmp").mkdir(parents=True, exist_ok=True)
        write_volumes(self._api, self._body, self._container, self._root)
        words = command(self._program, self._container, ports, own)
        file = config_file(words)
        if file and self._program.config:
            config = merged(yaml.safe_load(file.read_text()), filled(self._program.config, ports))
            # A file of its own, since the mounted one is written again.
            write_atomically(self._folder / "config.yaml", relocated(yaml.safe_dump(config), own))
            words.append(f"--config={self._folder / 'config.yaml'}")
        return [*words, f"--kubeconfig={self._folder / 'kubeconfig'}"]

    def _environment(self) -> dict[str, str]:
        given = {each["name"]: each["value"] for each in self._container.get("env", []) if "value" in each}
        return {"PATH": "", "TMPDIR": str(self._root / "tmp"), **given}

    def _report_readiness(self, process: subprocess.Popen[bytes], ports: Mapping[int, int]) -> None:
        """Reports the readiness of the process until it ends or is to end."""
        probe = self._container["readinessProbe"]
        health = _url(probe["httpGet"], self._container, ports)
        started, born = pod_status.now(), time.monotonic()
        signed_in = sync = born
        pause = min(probe.get("periodSeconds", 10), _SERVICE_SECONDS)
        ready: bool | None = None
        while process.poll() is None and not self._ending.is_set():
            answer = _answers(health)
            if answer:
                self._serve(ports)
            if time.monotonic() > sync:
                write_volumes(self._api, self._body, self._container, self._root)
                # A program may itself write the Secret that it waits for, or serves a certificate from.
                young = time.monotonic() - born < _YOUNG_SECONDS
                sync = time.monotonic() + (0 if young else _SYNC_SECONDS)
            if answer is not ready:
                ready = answer
                self._report(pod_status.running(self._body, started, ready, self._restarts))
            if time.monotonic() - signed_in > _TOKEN_SECONDS / 2:
                signed_in = time.monotonic()
                self._write_credentials()
            self._ending.wait(pause if ready else _PROBE_SECONDS)
        if not self._ending.is_set():
            self._report(pod_status.running(self._body, started, False, self._restarts + 1))

    def _serve(self, ports: Mapping[int, int]) -> None:
        """Listens on the addresses of the Services that select the pod."""
        if self._program.serves:
            try:
                services = self._api.list(f"{self._namespace}/services")
            except Unreachable:
                return
            problems = self._forwards.set(addresses(services, self._body, ports))
            if problems:
                self._log("; ".join(problems))

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self._grace)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()

    def _write_credentials(self) -> None:
        write_credentials(self._api, self._plane, self._body, self._folder, _TOKEN_SECONDS)

    def _report(self, status: Mapping[str, Any]) -> None:
        self._api.merge(f"{self._path}/status", {"status": status})

    def _log(self, text: str) -> None:
        # What it waits for is logged once.
        if text != self._logged:
            self._logged = text
            print(f"{pod_status.now()} {self._plane.name} {self._path}: {text}", flush=True)


def _url(probe: Mapping[str, Any], container: Mapping[str, Any], ports: Mapping[int, int]) -> str:
    """Where a probe's answer is on this machine."""
    named = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
    return f"http://{LOOPBACK}:{ports[named.get(probe['port'], probe['port'])]}{probe['path']}"


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=1, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
