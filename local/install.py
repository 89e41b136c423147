"""Puts the local stack's programs in place: built binaries, Pulumi's plugins and the credential plugin."""

import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from local.folders import mirror
from local.paths import PROJECT, Home, write_atomically
from tools.build import MODULES, build, place

_PULUMI_MODULES = ("pulumi", "pulumi-language")


def install(home: Home) -> None:
    """Builds what the tool cache lacks and fills the local stack's folders; what exists is not built again.

    A `pulumi` that the user has installed is used in place of ours, and so is the kubernetes plugin in the user's
    plugin cache: as a copy, since the pulumi command does not accept a link as a plugin. Raises ToolError.
    """
    own = [module for module in MODULES if not (users_pulumi() and module.name in _PULUMI_MODULES)]
    place(build(own), home.binaries)
    _write_script(home.binaries / "gke-gcloud-auth-plugin", "auth_plugin", home.root)
    write_launcher(_plugin(home, "gcp"), home.root, "gcp")
    kubernetes = _plugin(home, "kubernetes")
    if users := _users_kubernetes_plugin():
        mirror(users, kubernetes.parent)
    else:
        if kubernetes.parent.is_symlink():
            # Left by an earlier release; writing below it would change the user's own files.
            kubernetes.parent.unlink()
        write_launcher(kubernetes, home.root, "kubernetes")


def write_launcher(file: Path, root: Path, package: str) -> None:
    """Writes the program that Pulumi's engine starts as the plugin of a package; its fork server lives in `root`."""
    _write_script(file, "launcher", root, package)


def users_pulumi() -> Path | None:
    """The folder of a Pulumi that the user has installed, with its language host."""
    found = shutil.which("pulumi")
    if found and shutil.which("pulumi-language-python") and ".local" not in Path(found).parts:
        return Path(found).parent
    return None


def _users_kubernetes_plugin() -> Path | None:
    folder = Path.home() / ".pulumi" / "plugins" / _plugin_name("kubernetes")
    return folder if (folder / "pulumi-resource-kubernetes").exists() else None


def _plugin_name(package: str) -> str:
    return f"resource-{package}-v{version(f'pulumi-{package}')}"


def _plugin(home: Home, package: str) -> Path:
    return home.pulumi / "plugins" / _plugin_name(package) / f"pulumi-resource-{package}"


def _write_script(file: Path, name: str, root: Path, *arguments: str) -> None:
    """Writes a program that runs a file of this package by this very Python; no word may hold a quote."""
    # -I and -S: neither needs what is installed, and looking for it takes longer than all else that they do.
    words = [sys.executable, "-IS", str(PROJECT / "local" / f"{name}.py"), str(root), *arguments]
    quoted = " ".join(f"'{word}'" for word in words)
    write_atomically(file, f"#!/bin/sh\nexec {quoted}\n", mode=0o755)
