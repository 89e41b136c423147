"""A real Kubernetes control plane on this machine, by kwokctl: etcd, API server, controllers, scheduler and kwok."""

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
import zlib
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil
import yaml

from local.paths import read_json, write_atomically

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
_PORT_RANGE = range(21000, 32000)
_STARTER = "kwokctl"
_SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")

# The node agent (local/node_agent.py) runs these pods as real processes; kwok simulates all others.
REAL_PODS = "kubefed-control-plane=controller-manager"


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
                lost = [port for port in self._ports().values() if not _is_free(port)]
                if lost:
                    advice = "end it and run make up again, or make down to start over"
                    raise ControlPlaneError(f"port {lost[0]} of {self.name} is used by another program; {advice}")
                self._kwokctl("start", "cluster", "--wait", f"{_START_SECONDS}s")
            else:
                with _locked(self.folder.parent / "ports.lock"):
                    ports = self._choose_ports()
                write_atomically(self.folder / "config.yaml", yaml.safe_dump_all([self._config(ports), _kwok_config()]))
                self._kwokctl(
                    "create", "cluster", "--config", str(self.folder / "config.yaml"), "--wait", f"{_START_SECONDS}s"
                )

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
            ports[key] = _free_port(taken, self.folder.parent)
            taken.add(ports[key])
        write_atomically(self.folder / "ports.json", json.dumps(ports))
        return ports

    def _config(self, ports: dict[str, int]) -> dict[str, object]:
        binaries = {
            "kubeApiserverBinary": "kube-apiserver",
            "kubeControllerManagerBinary": "kube-controller-manager",
            "kubeSchedulerBinary": "kube-scheduler",
            "etcdBinary": "etcd",
            "kwokControllerBinary": "kwok",
            "kubectlBinary": "kubectl",
        }
        return {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": {
                "runtime": "binary",
                "bindAddress": "127.0.0.1",
                # After a kill, restarted servers leave nodes to the earlier ones until their leases expire. kwokctl
                # passes five times this number to kwok.
                "nodeLeaseDurationSeconds": 4,
                **ports,
                **{option: str(self.binaries / binary) for option, binary in binaries.items()},
            },
            "componentsPatches": [
                {
                    # As on GKE: a pod that requests a GPU tolerates the taint of the nodes that have them.
                    "name": "kube-apiserver",
                    "extraArgs": [{"key": "enable-admission-plugins", "value": "ExtendedResourceToleration"}],
                },
                # There is one of each; after a kill it would first wait for its own earlier lease to expire.
                *(
                    {"name": name, "extraArgs": [{"key": "leader-elect", "value": "false"}]}
                    for name in ("kube-controller-manager", "kube-scheduler")
                ),
            ],
        }

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


def _kwok_config() -> dict[str, object]:
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {"disregardStatusWithLabelSelector": REAL_PODS},
    }


def _free_port(taken: Collection[int], home: Path) -> int:
    """A port of the loopback interface that nothing listens on, and that is not among those taken.

    Each local stack starts at another port, so that none takes the ports of another's stopped control plane. All are
    below the range of ephemeral ports.
    """
    first = zlib.crc32(str(home).encode()) % len(_PORT_RANGE)
    for port in [*_PORT_RANGE[first:], *_PORT_RANGE[:first]]:
        if port not in taken and _is_free(port):
            return port
    raise ControlPlaneError(f"no free port from {_PORT_RANGE[0]} to {_PORT_RANGE[-1]} on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as trial, suppress(OSError):
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(("127.0.0.1", port))
        return True
    return False


def _last_lines(log: Path, count: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


@contextmanager
def _locked(file: Path) -> Generator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
