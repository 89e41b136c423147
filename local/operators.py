"""Operators on the local stack: those that the settings name are built, and their manifests written where it says.

    geo-federation:federation:
      operators:
        jobset: {version: v0.10.1, manifests: .local/operators/jobset.yaml}

The program does not know of this: it applies the file as it would any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.operator_manifests import adapted
from local.paths import Home, write_atomically
from placement.api.lookup import at, entries
from tools.build import ToolError, build, place
from tools.modules import OPERATORS, Module

_FOLDER = Path(".local/operators")
# KubeRay's manifests have 59,000 lines, for which those written in Python need half a minute.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Operator:
    """An operator that can be built: its version is that of its pins in tools/."""

    module: Module
    repository: str

    @property
    def version(self) -> str:
        assert self.module.manifests
        return self.module.pinned(self.module.manifests[0])

    @property
    def image(self) -> str:
        return f"{self.repository}:{self.version}"


_IMAGES = {
    "jobset": "registry.k8s.io/jobset/jobset",
    "kueue": "registry.k8s.io/kueue/kueue",
    "lws": "registry.k8s.io/lws/lws",
    "kuberay": "quay.io/kuberay/operator",
    "trainer": "ghcr.io/kubeflow/trainer/trainer-controller-manager",
}
KNOWN: Mapping[str, Operator] = {module.name: Operator(module, _IMAGES[module.name]) for module in OPERATORS}


def named(settings: Any) -> dict[str, Path]:
    """The operators of a stack's file whose manifests are to be written, and where, from the project's folder.

    Raises ToolError for one that cannot be built, or not in the version of the settings.
    """
    found: dict[str, Path] = {}
    problems: list[str] = []
    operators = entries(at(settings, "config", "geo-federation:federation", "operators"))
    for name, each in operators.items():
        file = Path(str(at(each, "manifests") or ""))
        if file.parent != _FOLDER:
            continue
        setting, version = f"federation.operators.{name}", at(each, "version")
        if name not in KNOWN:
            problems.append(f"{setting}: the local stack builds {', '.join(KNOWN)} alone; write another manifests")
        elif version != KNOWN[name].version:
            problems.append(f"{setting}.version: {version}: the local stack builds {KNOWN[name].version}; write that")
        else:
            found[name] = file
    if problems:
        raise ToolError("\n  ".join(["the local stack cannot have these operators:", *problems]))
    return found


def install_operators(home: Home, wanted: Mapping[str, Path]) -> None:
    """Builds operators, puts them in place and writes the manifests of each into its file. Raises ToolError."""
    files = build([KNOWN[name].module for name in wanted])
    published = {name: files.pop(f"{name}.yaml") for name in wanted}
    place(files, home.binaries)
    for name, file in wanted.items():
        text = published[name].read_text()
        objects = adapted(name, KNOWN[name].image, yaml.load_all(text, Loader=_LOADER))
        written = yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False)
        write_atomically(home.root / _FOLDER.name / file.name, written)
