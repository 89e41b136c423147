"""Puts the local stack's programs in place: built binaries, Pulumi's plugins and the credential plugin."""

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from local.folders import mirror
from local.paths import PROJECT, Home, write_atomically
from tools.build import build, place
from tools.modules import KUBERNETES_PLUGIN, MODULES


def install(home: Home) -> None:
    """Builds what the tool cache lacks and fills the local stack's folders; what exists is not built again.

    A `pulumi` that the user has installed is used in place of ours, and so is a Kubernetes plugin of the SDK's version
    in the user's plugin cache. Raises ToolError.
    """
    users_plugin = _users_kubernetes_plugin(home)
    users = {"pulumi", "pulumi-language"} if users_pulumi() else set[str]()
    users |= {"pulumi-kubernetes"} if users_plugin else set()
    binaries = build([module for module in MODULES if module.name not in users])
    # As real files: the pulumi command does not see a plugin behind a link.
    mirror(users_plugin or binaries.pop(KUBERNETES_PLUGIN).parent, _plugin_folder(home, "kubernetes"))
    place(binaries, home.binaries)
    _write_script(home.binaries / "gke-gcloud-auth-plugin", "-IS", PROJECT / "local" / "auth_plugin.py", home.root)
    gcp = _plugin_folder(home, "gcp") / "pulumi-resource-gcp"
    # -P: the folder that Pulumi runs in may have another package of that name.
    _write_script(gcp, "-P", "-m", "local.gcp", home.root)


def users_pulumi() -> Path | None:
    """The folder of a Pulumi that the user has installed, with its language host."""
    found = shutil.which("pulumi")
    if found and shutil.which("pulumi-language-python") and ".local" not in Path(found).parts:
        return Path(found).parent
    return None


def _users_kubernetes_plugin(home: Home) -> Path | None:
    own = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    folder = own / "plugins" / _plugin_folder(home, "kubernetes").name
    # After `make env`, Pulumi's home is the local stack's.
    return folder if own.resolve() != home.pulumi.resolve() and (folder / KUBERNETES_PLUGIN).exists() else None


def _plugin_folder(home: Home, package: str) -> Path:
    return home.pulumi / "plugins" / f"resource-{package}-v{version(f'pulumi-{package}')}"


def _write_script(file: Path, *words: str | Path) -> None:
    """Writes a program that is this very Python with these arguments, none of which may hold a quote."""
    quoted = " ".join(f"'{word}'" for word in (sys.executable, *words))
    write_atomically(file, f"#!/bin/sh\nPYTHONPATH='{PROJECT}' exec {quoted}\n", mode=0o755)
