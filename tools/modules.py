"""The Go modules of tools/: what is built in each, and what is stamped into it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
PINNED_KUBERNETES = "v1.36.3"
# Others that the local stack can be built with, by the value of the variable KUBERNETES that chooses them. Their pins
# are in kubernetes-MINOR.
OTHER_KUBERNETES: Mapping[str, str] = {"1.35": "v1.35.4", "1.37": "v1.37.2"}
PULUMI = "v3.274.1"
PULUMI_KUBERNETES = "4.34.2"  # of the SDK in requirements.txt


@dataclass(frozen=True)
class Module:
    """One folder of pins: the commands it builds and what is stamped into them."""

    name: str
    stamps: tuple[str, ...] = ()
    # The name of a binary whose package path does not end in it.
    rename: tuple[tuple[str, str], ...] = ()
    # Files to copy from a module's source: (module path, file in it).
    extras: tuple[tuple[str, str], ...] = ()
    # The folder of the pins; empty where it is called as the module.
    pins: str = ""
    # The binary of a folder that is a command itself, and what it embeds: (module path, file in it).
    command: str = ""
    embeds: tuple[tuple[str, str], ...] = ()
    # The manifests of a module that it requires, built into `NAME.yaml`: (module path, folders for kustomize).
    manifests: tuple[str, tuple[str, ...]] | None = None

    @property
    def folder(self) -> Path:
        return TOOLS / (self.pins or self.name)

    def pinned(self, path: str) -> str:
        """The version of another module that its go.mod requires, such as v0.10.1."""
        required = re.search(
            rf"^\s*(?:require )?{re.escape(path)} (v\S+)", (self.folder / "go.mod").read_text(), re.MULTILINE
        )
        assert required, f"tools/{self.folder.name}/go.mod does not require {path}"
        return required[1]


_CHOSEN = os.environ.get("KUBERNETES", "")
KUBERNETES = OTHER_KUBERNETES.get(_CHOSEN, PINNED_KUBERNETES)
"""The Kubernetes that is built: the pinned one, or the one that the variable KUBERNETES names."""


def wrong_kubernetes(chosen: str = _CHOSEN) -> str:
    """What is wrong with the value of the variable KUBERNETES; empty where it may be that."""
    known = sorted([*OTHER_KUBERNETES, _minor(PINNED_KUBERNETES)])
    if not chosen or chosen in known:
        return ""
    return f"KUBERNETES={chosen}: the local stack is built with {', '.join(known)}; write one of these, or leave it out"


def kubernetes(version: str) -> Module:
    """The module of a version of Kubernetes."""
    major, minor = _minor(version).split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return Module(
        "kubernetes",
        # Clients reject the version of an API server that is built without these.
        stamps=tuple(f"k8s.io/component-base/version.{name}={value}" for name, value in stamps.items()),
        pins="" if version == PINNED_KUBERNETES else f"kubernetes-{_minor(version)}",
    )


def _minor(version: str) -> str:
    return ".".join(version.lstrip("v").split(".")[:2])


KUBERNETES_PLUGIN = "pulumi-resource-kubernetes"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"

MODULES = (
    kubernetes(KUBERNETES),
    Module("pulumi", stamps=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI}",)),
    Module(
        "pulumi-language",
        extras=(("github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec"),),
    ),
    Module("etcd", rename=(("server", "etcd"),)),
    Module("kwok"),
    Module("kubefed"),
    # Last, since most users have it already.
    Module(
        "pulumi-kubernetes",
        stamps=(f"main.version={PULUMI_KUBERNETES}",),
        command=KUBERNETES_PLUGIN,
        embeds=tuple(
            (_PROVIDER, f"cmd/{KUBERNETES_PLUGIN}/{file}") for file in ("schema.json", "terraform-mapping.json")
        ),
    ),
)
# Tools that check the project itself; the local stack does not use them.
CHECKERS = (Module("actionlint"),)

# What a stack's settings may name; see local/operators.py. Each has its own version of Kubernetes' libraries.
_DEFAULT = ("config/default",)
OPERATORS = (
    Module("jobset", manifests=("sigs.k8s.io/jobset", _DEFAULT)),
    Module("kueue", manifests=("sigs.k8s.io/kueue", _DEFAULT)),
    Module("lws", rename=(("cmd", "lws"),), manifests=("sigs.k8s.io/lws", _DEFAULT)),
    Module("kuberay", manifests=("github.com/ray-project/kuberay/ray-operator", _DEFAULT)),
    # Its overlay takes JobSet's manifests from the internet.
    Module(
        "trainer",
        manifests=(
            "github.com/kubeflow/trainer/v2",
            tuple(f"manifests/base/{folder}" for folder in ("crds", "rbac", "manager", "webhook")),
        ),
    ),
)
