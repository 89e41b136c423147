"""The programs that run pods on this machine: which image is which program, and how it is configured.

A process has no network and no files of its own. What listens on a container's port listens on a free port of the
loopback interface, and what is mounted into a container is in a folder below the pod's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local.ports import LOOPBACK

_CERTIFICATES = "/tmp/k8s-webhook-server/serving-certs"
_CONFIG_FLAG = "--config="
_PORT = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class Program:
    """The program of an image. `{8081}` is the port of this machine that is in place of the container's port 8081."""

    binary: str
    # What is appended to the pod's own arguments: the last of two equal flags is used.
    arguments: tuple[str, ...] = ()
    # What is set in the file that --config names.
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    # Files that must exist where the program looks for them, whatever its configuration is. It does not read them.
    markers: tuple[str, ...] = ()
    # Whether others reach it through a Service, such as an API server its webhooks.
    serves: bool = False

    @property
    def ports(self) -> list[int]:
        """The container's ports on which it listens."""
        return sorted({int(port) for port in _PORT.findall(f"{self.arguments} {self.config}")})


# The configuration of JobSet, Kueue and LeaderWorkerSet has these fields in common.
_CONFIG: Mapping[str, Any] = {
    "health": {"healthProbeBindAddress": f"{LOOPBACK}:{{8081}}"},
    "metrics": {"bindAddress": f"{LOOPBACK}:{{8443}}"},
    "webhook": {"host": LOOPBACK, "port": "{9443}", "certDir": _CERTIFICATES},
}

# By the image's repository. JobSet 0.10.1 and Trainer 2.0.0 wait for a certificate at a path that is fixed in their
# code (pkg/util/cert), and serve the one that is configured. Trainer's webhook cannot be bound to one address.
PROGRAMS: Mapping[str, Program] = {
    "quay.io/kubernetes-multicluster/kubefed": Program(
        "hyperfed", (f"--healthz-addr={LOOPBACK}:{{8080}}", f"--metrics-addr={LOOPBACK}:{{9090}}")
    ),
    "registry.k8s.io/jobset/jobset": Program(
        "jobset", config=_CONFIG, markers=(f"{_CERTIFICATES}/tls.crt",), serves=True
    ),
    "registry.k8s.io/kueue/kueue": Program("kueue", config=_CONFIG, serves=True),
    "registry.k8s.io/lws/lws": Program("lws", config=_CONFIG, serves=True),
    "quay.io/kuberay/operator": Program(
        "ray-operator",
        (f"--metrics-addr={LOOPBACK}:{{8080}}", f"--health-probe-bind-address={LOOPBACK}:{{8082}}"),
    ),
    "ghcr.io/kubeflow/trainer/trainer-controller-manager": Program(
        "trainer-controller-manager",
        (f"--health-probe-bind-address={LOOPBACK}:{{8081}}", "--webhook-server-port={9443}"),
        markers=(f"{_CERTIFICATES}/tls.crt",),
        serves=True,
    ),
}


def program_of(image: str) -> Program | None:
    """The program that runs an image, whatever its tag and digest are; None where its containers are simulated."""
    name = image.partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    return PROGRAMS.get(repository if colon and "/" not in tag else name)


def command(
    program: Program, container: Mapping[str, Any], ports: Mapping[int, int], mounts: Mapping[str, Path]
) -> list[str]:
    """The words that start a container's program: its own, with its files and ports as they are on this machine."""
    own = [*(container.get("command") or [program.binary]), *container.get("args", [])]
    words = [relocated(str(word), mounts) for word in own]
    return [Path(words[0]).name, *words[1:], *(cast(list[str], filled(list(program.arguments), ports)))]


def config_file(words: Sequence[str]) -> Path | None:
    """The file that the last --config of a command names."""
    named = [word.removeprefix(_CONFIG_FLAG) for word in words if word.startswith(_CONFIG_FLAG)]
    return Path(named[-1]) if named else None


def filled(value: Any, ports: Mapping[int, int]) -> Any:
    """The value with this machine's ports in place of the container's; a text that is one port becomes a number."""
    if isinstance(value, Mapping):
        return {key: filled(each, ports) for key, each in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [filled(each, ports) for each in cast(list[Any], value)]
    if not isinstance(value, str):
        return value
    alone = _PORT.fullmatch(value)
    return ports[int(alone[1])] if alone else _PORT.sub(lambda match: str(ports[int(match[1])]), value)


def merged(below: Any, above: Any) -> Any:
    """Two configurations in one: maps are merged, and of all else the second is used."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    first, second = cast(Mapping[str, Any], below), cast(Mapping[str, Any], above)
    return {**first, **{key: merged(first.get(key), each) for key, each in second.items()}}


def relocated(text: str, mounts: Mapping[str, Path]) -> str:
    """The text with paths of this machine in place of the container's paths at which something is mounted."""
    if not mounts:
        return text
    # The longest first: a mount may be below another. A path ends where its last word does.
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({paths})(?![\w.-])", lambda match: str(mounts[match[1]]), text)
