"""A real Kubernetes control plane on this machine, by kwokctl: etcd, API server, controllers, scheduler and kwok."""

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil
import yaml

from local.kwok_config import kwok_documents
from local.paths import read_json, write_atomically
from local.ports import RANGE, is_free, kept_port

# Each server that kwokctl starts needs a port that no other control plane of this machine has.
_PORTS = (
    "kubeApiserverPort",
    "etcdPort",
    "etcdPeerPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
)
_START_SECONDS = 120
_STARTER = "kwokctl"
_SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


class ControlPlaneError(Exception):
    """A control plane could not be started; the message says why and where its logs are."""


@dataclass(frozen=True)
class ControlPlane:
    """One control plane, whose files are all in `folder`."""

    name: str
    folder: Path
    binaries: Path

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig that signs in as cluster-admin by a client certificate."""
        return self.folder / "kubeconfig"

    @property
    def endpoint(self) -> str:
        """The API server's host and port."""
        return f"127.0.0.1:{self._ports()['kubeApiserverPort']}"

    @property
    def certificate_authority(self) -> str:
        """The API server's CA: PEM in base64."""
        return base64.b64encode((self._pki / "ca.crt").read_bytes()).decode()

    @property
    def client_certificate(self) -> tuple[str, str]:
        """The admin's certificate and key, in PEM."""
        return (self._pki / "admin.crt").read_text(), (self._pki / "admin.key").read_text()

    @property
    def certificate_files(self) -> tuple[str, tuple[str, str]]:
        """The files of the CA, and of the admin's certificate and key."""
        return str(self._pki / "ca.crt"), (str(self._pki / "admin.crt"), str(self._pki / "admin.key"))

    @property
    def _work(self) -> Path:
        return self.folder / "kwok"

    @property
    def _pki(self) -> Path:
        return self._work / "clusters" / self.name / "pki"

    def start(self) -> None:
        """Creates the control plane, or starts those of its servers that do not run. Raises ControlPlaneError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / "lock"):
            if self._answers():
                return
            if (self._work / "clusters" / self.name / "kwok.yaml").exists():
                self._stop()
                lost = [port for port in self._ports().values() if not is_free(port)]
                if lost:
                    advice = "end it and run make up again, or make down to start over"
                    raise ControlPlaneError(f"port {lost[0]} of {self.name} is used by another program; {advice}")
                self._start_again()
            else:
                with _locked(self.folder.parent / "ports.lock"):
                    ports = self._choose_ports()
                write_atomically(self.folder / "config.yaml", yaml.safe_dump_all(kwok_documents(self.binaries, ports)))
                self._kwokctl(
                    "create", "cluster", "--config", str(self.folder / "config.yaml"), "--wait", f"{_START_SECONDS}s"
                )
            # The controller manager gives up on an API server that is not ready after 10 s, as on a busy machine.
            if not self._answers():
                self._stop()
                self._start_again()

    def delete(self) -> None:
        """Ends every process of the control plane and removes its files; one that is gone already is no error."""
        if not self.folder.exists():
            return
        self._stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        # A server that was still writing may have added a file meanwhile.
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """Its running servers."""
        return processes_of(self.folder)

    def _start_again(self) -> None:
        self._kwokctl("start", "cluster", "--wait", f"{_START_SECONDS}s")

    def _stop(self) -> None:
        # Killing etcd loses no data, and an API server without its etcd takes long to end on SIGTERM.
        end(self.processes(), patience=0)
        # kwokctl takes a killed server for running as long as its process id is in use.
        for file in (self._work / "clusters" / self.name / "pids").glob("*"):
            file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        """Whether the whole control plane runs and its API server answers."""
        running = {Path(process.exe()).name for process in self.processes()}
        if not self.kubeconfig.exists() or not running.issuperset(_SERVERS):
            return False
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", int(self.endpoint.rpartition(":")[2])), timeout=2),
        ):
            return True
        return False

    def _ports(self) -> dict[str, int]:
        ports = read_json(self.folder / "ports.json")
        if ports is None:
            raise ControlPlaneError(f"control plane {self.name} was never started")
        return cast(dict[str, int], ports)

    def _choose_ports(self) -> dict[str, int]:
        """Free ports that no sibling has, kept for this control plane's whole life."""
        kept = read_json(self.folder / "ports.json")
        if kept is not None:
            return cast(dict[str, int], kept)
        siblings = [read_json(file) or {} for file in self.folder.parent.glob("*/ports.json")]
        taken = {cast(int, port) for ports in siblings for port in ports.values()}
        ports: dict[str, int] = {}
        for key in _PORTS:
            port = kept_port(taken, self.folder.parent)
            if port is None:
                raise ControlPlaneError(f"no free port from {RANGE[0]} to {RANGE[-1]} on this machine")
            ports[key] = port
            taken.add(port)
        write_atomically(self.folder / "ports.json", json.dumps(ports))
        return ports

    def _kwokctl(self, *arguments: str) -> None:
        # kwokctl checks the API server's health with the kubectl on PATH, which must be ours.
        path = f"{self.binaries}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = os.environ | {"KWOK_WORKDIR": str(self._work), "KUBECONFIG": str(self.kubeconfig), "PATH": path}
        log = self.folder / "kwokctl.log"
        with log.open("a") as output:
            done = subprocess.run(
                [self.binaries / "kwokctl", "--name", self.name, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the calling command, not for the servers.
                start_new_session=True,
                check=False,
            )
        if done.returncode != 0:
            raise ControlPlaneError(f"kwokctl could not start {self.name}; {log} says:\n{_last_lines(log)}")


def processes_of(folder: Path) -> list[psutil.Process]:
    """The servers of a local stack that run from a folder: its own programs, with the folder in their command line."""
    prefix = f"{folder.resolve()}/"
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if prefix in words and Path(process.exe()).name in (_STARTER, *_SERVERS):
                found.append(process)
    return found


def end(processes: list[psutil.Process], patience: float) -> None:
    """Terminates processes, kills them after `patience` seconds, and returns when they have ended."""
    for process in processes if patience else []:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(processes, timeout=patience)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _last_lines(log: Path, count: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


@contextmanager
def _locked(file: Path) -> Generator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
