"""Measures the figures of docs/figures.md, each on this machine and in one run.

    python -m docs.measure [--rounds N] [--cold]

Needs built tools (`make tools`); with --cold, they are first built once more, from nothing. Every stack is a copy of
the project in a temporary folder, and is taken down again.
"""

import argparse
import os
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from local.api import Api, ApiError, Unreachable
from tests.e2e.project import ROOT, Project

REGIONS = ("us-west1", "europe-west1", "asia-southeast1", "us-east1", "europe-north1", "australia-southeast1")
MEMBERS = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters"


def stack_of(count: int, folder: Path) -> Project:
    """A copy of the project with so many clusters and no workloads."""
    project = Project.copy(folder)
    settings = project.settings()
    config = settings["config"]
    config["geo-federation:clusters"] = {
        f"member-{slot}": {"region": region, "slot": slot, "role": "any"} for slot, region in enumerate(REGIONS[:count])
    }
    config["geo-federation:federation"] = {"host": "member-0"}
    config["geo-federation:workloads"] = {}
    project.write_settings(settings)
    return project


def registration(count: int) -> tuple[float, float]:
    """Seconds from the last answer of a control plane to the last Ready, and the longest from registered to Ready."""
    with tempfile.TemporaryDirectory() as folder:
        project = stack_of(count, Path(folder))
        # GKE takes minutes to make a cluster, after which its control plane is at rest. Without this, the figure would
        # be of six control planes that start on two cores.
        process = project.start(*project.make_command("up"), environment={"GKE_SECONDS_CLUSTER": "25"})
        try:
            answered = wait(lambda: _answering(project) == count or _has_failed(process))
            registered, ready = _follow_members(project.api("member-0"), count)
            process.communicate()
            return max(ready.values()) - answered, max(ready[name] - registered[name] for name in ready)
        finally:
            project.make("down").ok()


def whole(folder: Path) -> dict[str, float]:
    """Seconds that the stack of three clusters takes: up to every pod Running or Complete, and a preview after it."""
    project = Project.copy(folder)
    try:
        started = time.monotonic()
        project.make("up").ok()
        for workload in project.outputs()["placements"].values():
            for decision in workload:
                wait(lambda decision=decision: _running(project, decision["cluster"]) >= decision["share"])
        up = time.monotonic() - started
        preview = project.shell("time -p pulumi preview --expect-no-changes").ok().output
        seconds = next(float(line.split()[1]) for line in preview.splitlines() if line.startswith("real"))
        return {"up": up, "preview": seconds}
    finally:
        project.make("down").ok()


def cold_tools() -> tuple[float, float]:
    """Seconds that the tools take where neither they nor their sources are there, and those of Pulumi's provider."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project.copy(Path(folder, "project"))
        caches = {name: f"{folder}/{name}" for name in ("XDG_CACHE_HOME", "GOMODCACHE", "GOCACHE")}
        # Go's own would be read-only, and could not be removed.
        environment = {**caches, "GOFLAGS": "-modcacherw"}
        done = project.run(*project.make_command("tools"), timeout=3600, environment=environment).ok()
        provider = re.search(r"pulumi-kubernetes: built in (\d+) s", done.output)
        assert provider, done.output
        return done.seconds, float(provider[1])


def main() -> None:
    """Prints the figures as the table of docs/figures.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each figure is taken; the median is shown")
    parser.add_argument("--cold", action="store_true", help="also the tools from empty caches; takes ten minutes")
    arguments = parser.parse_args()
    rounds = range(arguments.rounds)
    cold, provider = (f"{each / 60:.1f} min" for each in cold_tools()) if arguments.cold else ("not taken",) * 2
    checkout = Project(ROOT)
    checkout.make("tools").ok()
    tools = [checkout.make("tools").ok().seconds for _ in rounds]
    unit = [checkout.make("unit").ok().seconds for _ in rounds]
    stacks: list[dict[str, float]] = []
    for _ in rounds:
        with tempfile.TemporaryDirectory() as folder:
            stacks.append(whole(Path(folder)))
    # In turn, so that what else the machine does falls on both alike.
    pairs = [(registration(2), registration(6)) for _ in rounds]
    two, six = (median(pair[side][0] for pair in pairs) for side in (0, 1))
    slowest = max(pair[side][1] for pair in pairs for side in (0, 1))
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {len(rounds)} rounds\n")
    print("| figure | measured | bound |\n|---|---|---|")
    print(f"| `make up`, three clusters, to every pod Running or Complete | {_median(stacks, 'up')} | 60 s |")
    print(f"| `pulumi preview` of that stack, unchanged | {_median(stacks, 'preview')} | 15 s |")
    print(f"| registration of two members, side by side | {two:.1f} s | |")
    print(f"| registration of six members, side by side | {six:.1f} s | |")
    print(f"| six members against two | {median(pair[1][0] / pair[0][0] for pair in pairs):.2f} times | 1.5 times |")
    print(f"| a member from registered to Ready, the slowest of all | {slowest:.1f} s | 5 s |")
    print(f"| tools from empty caches | {cold} | 18 min |")
    print(f"| of them Pulumi's Kubernetes provider, less where the user has it | {provider} | |")
    print(f"| tools from a warm cache | {median(tools):.1f} s | 2 s |")
    print(f"| `make unit` | {median(unit):.1f} s | 30 s |")


def _median(stacks: list[dict[str, float]], figure: str) -> str:
    return f"{median(stack[figure] for stack in stacks):.1f} s"


def wait(check: Callable[[], bool], seconds: float = 300) -> float:
    """When a check first held."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("a stack did not come up")
        time.sleep(0.05)
    return time.monotonic()


def _has_failed(process: subprocess.Popen[str]) -> bool:
    """Raises when a run has ended that should not have; it is never true."""
    if process.poll() is not None:
        raise RuntimeError(f"a stack did not come up:\n{process.communicate()[0]}")
    return False


def _answering(project: Project) -> int:
    return len(list((project.folder / ".local" / "clusters").glob("*/ready")))


def _follow_members(host: Api, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """When each member was registered and when it became Ready, by name."""
    registered: dict[str, float] = {}
    ready: dict[str, float] = {}
    while len(ready) < count:
        # Until KubeFed's types are there, nothing can be watched.
        with suppress(ApiError, Unreachable):
            for change in host.watch(MEMBERS, 300):
                name = change["object"]["metadata"]["name"]
                registered.setdefault(name, time.monotonic())
                if is_ready(change["object"]):
                    ready.setdefault(name, time.monotonic())
                if len(ready) == count:
                    break
        time.sleep(0.05)
    return registered, ready


def is_ready(member: dict[str, Any]) -> bool:
    """Whether a KubeFedCluster has this condition."""
    conditions = member.get("status", {}).get("conditions", [])
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def _running(project: Project, cluster: str) -> int:
    pods = project.objects(cluster, "pods -n ai")
    return sum(pod["status"]["phase"] in ("Running", "Succeeded") for pod in pods)


if __name__ == "__main__":
    main()
