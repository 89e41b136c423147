"""The stack `local`: Pulumi with a home, a state and a PATH of its own, and the same program as everywhere."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from local import node_agent
from local.control_plane import ControlPlane, end, processes_of
from local.gcp.cluster import Cluster
from local.gcp.plugin import KINDS
from local.gcp.registry import Registry
from local.gcp.resource import Cloud
from local.install import users_pulumi
from local.paths import PROJECT, Home, write_atomically
from local.plugin import Refused
from placement.api.lookup import at
from stack_file import read_stack_file

STACK = "local"
STACK_FILE = PROJECT / f"Pulumi.{STACK}.yaml"
# It protects only a stack of stand-ins on this machine; its salt is in Pulumi.local.yaml.
_PASSPHRASE = "local"


@dataclass(frozen=True)
class LocalStack:
    """The local stack of one checkout."""

    home: Home

    def variables(self) -> dict[str, str]:
        """What `pulumi` and `kubectl` need in their environment to work on this stack."""
        folders = [str(self.home.binaries), str(Path(sys.executable).parent)]
        rest = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in folders]
        return {
            "PATH": os.pathsep.join([*folders, *rest]),
            "KUBECONFIG": str(self.home.root / "kubeconfig"),
            "PULUMI_HOME": str(self.home.pulumi),
            # The state is written as a whole at every step, and replaced atomically. A checksum beside it and a backup
            # would be a third of that work.
            "PULUMI_BACKEND_URL": f"file://{self.home.state}?metadata=skip",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": STACK,
        }

    def pulumi(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a pulumi command on this stack."""
        command = [str(self._folder_of_pulumi() / "pulumi"), *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=os.environ | self.variables(), text=True, check=False, **options
        )

    def prepare(self) -> None:
        """Creates the stack if it does not exist, and repairs what an interrupted run has left."""
        self.home.state.mkdir(parents=True, exist_ok=True)
        self._unlock()
        if not self._checkpoint().exists():
            self.pulumi("stack", "select", "--create", STACK, capture_output=True)
        self._remove_leftovers()
        planes = self.planes()
        with ThreadPoolExecutor() as pool:
            list(pool.map(ControlPlane.start, planes))
        node_agent.ensure(self.home)

    def interrupted(self) -> bool:
        """Whether the last run ended in the middle of an operation, whose result the state does not have."""
        return bool((self._latest() or {}).get("pending_operations"))

    def write_kubeconfig(self) -> None:
        """Writes one kubeconfig with a context for each cluster; the host's is the current one."""
        shown = self.pulumi("stack", "output", "--json", "--show-secrets", capture_output=True)
        outputs: dict[str, Any] = json.loads(shown.stdout) if shown.returncode == 0 else {}
        merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}
        merged["current-context"] = _host()
        for name in outputs.get("members", {}):
            one: dict[str, Any] = yaml.safe_load(outputs[f"{name}_kubeconfig"])
            merged["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
            merged["users"].append({"name": name, "user": one["users"][0]["user"]})
            merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
        write_atomically(self.home.root / "kubeconfig", yaml.safe_dump(merged, sort_keys=False))

    def planes(self) -> list[ControlPlane]:
        """The control planes that have been created."""
        return [
            ControlPlane(folder.parent.name, folder.parent, self.home.binaries)
            for folder in sorted(self.home.clusters.glob("*/ready"))
        ]

    def remove(self) -> None:
        """Ends every process of the stack and removes every file of it."""
        end(list(self._pulumi_processes()), patience=5)
        agent = node_agent.agent_process(self.home)
        end([agent] if agent else [], patience=0)
        end(node_agent.pod_processes(self.home), patience=0)
        end(processes_of(self.home.root), patience=0)
        for _ in range(50):
            shutil.rmtree(self.home.root, ignore_errors=True)
            if not self.home.root.exists():
                return
            time.sleep(0.1)
        raise OSError(f"{self.home.root} cannot be removed")

    def _folder_of_pulumi(self) -> Path:
        return users_pulumi() or self.home.binaries

    def _checkpoint(self) -> Path:
        return self.home.state / ".pulumi" / "stacks" / "geo-federation" / f"{STACK}.json"

    def _latest(self) -> dict[str, Any] | None:
        """The resources of the state; empty before the first run, None where there is no state."""
        with suppress(FileNotFoundError):
            return json.loads(self._checkpoint().read_text())["checkpoint"]["latest"] or {}
        return None

    def _pulumi_processes(self) -> Iterator[psutil.Process]:
        """Pulumi running on this stack, with its language host, program and plugins."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = " ".join(process.cmdline())
                pulumi = process.name().startswith("pulumi") or "pulumi-language-python" in words
                if (pulumi or "-m local.gcp" in words) and process.environ().get("PULUMI_HOME") == str(
                    self.home.pulumi
                ):
                    yield process

    def _unlock(self) -> None:
        """Removes the locks of killed runs, whose processes have ended."""
        for file in (self.home.state / ".pulumi" / "locks").rglob("*.json"):
            with suppress(OSError, ValueError, KeyError):
                if not _is_running(json.loads(file.read_text())["pid"]):
                    file.unlink()

    def _remove_leftovers(self) -> None:
        """Removes what a killed run created but did not record in the state."""
        latest = self._latest()
        if latest is not None:
            kept = {each.get("id") for each in latest.get("resources", [])}
            registry = Registry(self.home.root / "cloud")
            cloud = Cloud(self.home, registry, "")
            for kind in KINDS.values():
                for identifier, properties in registry.all(kind.slug).items():
                    if identifier not in kept:
                        with suppress(Refused):
                            kind.remove(cloud, identifier, properties | {"deletionProtection": False})
                        registry.remove(kind.slug, identifier)
            existing = {properties["name"] for properties in registry.all(Cluster().slug).values()}
            for folder in self.home.clusters.glob("*/"):
                if folder.name not in existing:
                    ControlPlane(folder.name, folder, self.home.binaries).delete()


def _host() -> str:
    """The host that the settings name; empty where they name none, which `pulumi up` has reported."""
    return str(at(read_stack_file(STACK_FILE), "config", "geo-federation:federation", "host") or "")


def _is_running(process: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    return False


def exports(variables: dict[str, str]) -> Sequence[str]:
    """The variables as commands for a shell."""
    return [f"export {name}='{value}'" for name, value in variables.items()]
