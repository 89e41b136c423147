"""A copy of the project in a folder of its own, worked on as its users do: by make, pulumi and kubectl."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psutil
import yaml

from local.api import Api, ApiError
from local.control_plane import ControlPlane
from tests.e2e.versions import settings_for

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    output: str
    seconds: float

    def ok(self) -> "Done":
        # Its errors again at the end, the part of a long output that is shown.
        assert self.code == 0, "\n".join([self.output, *(line for line in self.output.splitlines() if "error" in line)])
        return self


@dataclass(frozen=True)
class Project:
    """A copy of the checkout, sharing its virtual environment and the tool cache."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Of the environment of every command, beside those of this process."""

    @classmethod
    def copy(cls, folder: Path, **variables: str) -> "Project":
        """Copies what git tracks, or would."""
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        project = cls(folder, variables)
        project._stack_file.write_text(settings_for(project._stack_file.read_text()))
        return project

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Starts a command in a process group of its own, as a terminal would."""
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env={**clean_environment(), **self.variables, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, timeout: float = 240, environment: Mapping[str, str] | None = None) -> Done:
        """Runs a command to its end."""
        started = time.monotonic()
        with self.start(*words, environment=environment) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Done(process.returncode, output, time.monotonic() - started)

    def make(self, *words: str, **environment: str) -> Done:
        return self.run(*self.make_command(*words), environment=environment)

    def make_command(self, *words: str) -> list[str]:
        return ["make", "-s", f"VENV={ROOT / '.venv'}", *words]

    def shell(self, command: str, timeout: float = 240) -> Done:
        """Runs a command as the README says: in a shell after `eval "$(make -s env)"`."""
        return self.run("bash", "-c", f"set -e\n{_exports(self)}\n{command}", timeout=timeout)

    def check_unchanged(self, *flags: str) -> None:
        """Asserts that a preview with these flags proposes no changes."""
        done = self.shell(f"pulumi preview --expect-no-changes {' '.join(flags)}", timeout=600)
        # Of a long output only the end is shown, and a refresh writes lines for all that has not changed.
        assert done.code == 0, "\n".join(each for each in done.output.splitlines() if "refresh" not in each)

    def kubectl(self, cluster: str, arguments: str) -> Done:
        return self.shell(f"kubectl --context {cluster} {arguments}")

    def objects(self, cluster: str, arguments: str) -> list[dict[str, Any]]:
        """What `kubectl get` finds."""
        done = self.shell(f"kubectl --context {cluster} get {arguments} -o json 2>/dev/null").ok()
        return json.loads(done.output)["items"]

    def api(self, cluster: str) -> Api:
        """The API server of a cluster, as its administrator."""
        folder = self.cluster_folder(cluster)
        return Api(ControlPlane(folder.name, folder, self.folder / ".local" / "bin"))

    def cluster_folder(self, cluster: str) -> Path:
        """Where the servers of a cluster have their files; Pulumi has added some characters to its name."""
        (folder,) = (
            each for each in (self.folder / ".local" / "clusters").iterdir() if each.name.rpartition("-")[0] == cluster
        )
        return folder

    def servers(self, cluster: str) -> list[psutil.Process]:
        """The processes of a cluster's control plane."""
        # With the slash, since one cluster's name may begin with another's.
        return list(self.processes(f"{self.cluster_folder(cluster)}/"))

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.shell("pulumi stack output --json --show-secrets").ok().output)

    def settings(self) -> dict[str, Any]:
        return yaml.safe_load(self._stack_file.read_text())

    def write_settings(self, settings: dict[str, Any]) -> None:
        self._stack_file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def declare_workload(
        self, name: str, namespace: str, placement: dict[str, Any], *objects: dict[str, Any], **more: Any
    ) -> None:
        """Writes a workload's manifests and its settings, `more` of which may be given."""
        manifests = f"workloads/{name}.yaml"
        (self.folder / manifests).write_text(yaml.safe_dump_all(objects))
        settings = self.settings()
        workload = {"manifests": manifests, "namespace": namespace, "placement": placement, **more}
        settings["config"]["geo-federation:workloads"][name] = workload
        self.write_settings(settings)

    def processes(self, path: str = "") -> Iterator[psutil.Process]:
        """Every process on this machine with a path of this copy, or this path, in its command line."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any((path or str(self.folder)) in word for word in process.cmdline()):
                    yield process

    @contextmanager
    def taken_down(self) -> Generator[None]:
        """Runs `make down` at the end, which leaves no process."""
        try:
            yield
        finally:
            self.make("down").ok()
        assert list(self.processes()) == []

    @property
    def _stack_file(self) -> Path:
        return self.folder / "Pulumi.local.yaml"


@cache
def _exports(project: Project) -> str:
    """What `make env` prints; kept, since it never changes and is needed hundreds of times."""
    return project.make("env").ok().output


def eventually(check: Callable[[], T], seconds: float) -> T:
    """Repeats a check until its assertions hold and API servers answer, for at most so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, ApiError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def found(api: Api, path: str) -> dict[str, Any] | None:
    """The object at a path; None where there is none."""
    try:
        return api.get(path)
    except ApiError as error:
        assert error.status == 404, error
        return None


def clean_environment() -> dict[str, str]:
    """This process's environment, without variables that configure Pulumi, kubectl and make.

    KUBERNETES stays, by which the local stack is of another version.
    """
    others = ("PULUMI_", "KUBE", "MAKE", "MFLAGS")
    mine = {key: each for key, each in os.environ.items() if key == "KUBERNETES" or not key.startswith(others)}
    return mine | {"NO_COLOR": "1"}
