"""Builds the pinned binaries that local/ runs, once, into a cache outside the checkout.

Each folder beside this file is one Go module whose `tool` directives pin the commands to build, or which is a command
itself; go.sum verifies what the module proxy serves. They are separate because their dependencies conflict. A module's
binaries are cached under a hash of its pins, so nothing is built twice and changing one pin rebuilds one module.

    python -m tools.build [--into DIR] [MODULE ...]

prints progress on stderr and, with --into, places the binaries in DIR (as real files: Pulumi's language host looks for
its helper beside the real path of its own binary). Needs Go and nothing else, so it runs before any venv exists.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.modules import CHECKERS, MODULES, OPERATORS, Module, wrong_kubernetes


class ToolError(Exception):
    """A tool is missing or could not be built; the message says what to do."""


def cache_folder() -> Path:
    """Where built tools are kept: `geo-federation/tools` under XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "geo-federation" / "tools"


def minimum_go(modules: Iterable[Module]) -> tuple[int, ...]:
    """The newest Go version that any of the modules requires."""
    return max(_version(_go_mod(module)["Go"]) for module in modules)


def check_go(modules: Iterable[Module]) -> None:
    """Raises ToolError unless a new enough Go is on PATH."""
    needed = minimum_go(modules)
    required = ".".join(map(str, needed))
    if not shutil.which("go"):
        raise ToolError(f"Go is not on PATH. Install Go {required} or newer: the local stack builds its tools with it.")
    found = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip()
    if found.startswith("go") and _version(found.removeprefix("go")) < needed:
        raise ToolError(f"Go on PATH is {found.removeprefix('go')}. Install Go {required} or newer.")


def build(modules: Sequence[Module]) -> dict[str, Path]:
    """Builds what the cache lacks, and returns the path of every binary and extra file by its name.

    Raises ToolError when Go is missing or too old, or a build fails.
    """
    if problem := wrong_kubernetes():
        raise ToolError(problem)
    missing = [module for module in modules if not _kept(module).is_dir()]
    if missing:
        check_go(missing)
    # The sources of the next module are fetched while one is compiled.
    with ThreadPoolExecutor(max_workers=1) as reader:
        readings = [reader.submit(_read, module) for module in missing]
        try:
            for number, (module, reading) in enumerate(zip(missing, readings, strict=True), start=1):
                _build_module(module, reading, f"[{number}/{len(missing)}] {module.name}")
        finally:
            reader.shutdown(wait=False, cancel_futures=True)
    return {file.name: file for module in modules for file in sorted(_kept(module).iterdir())}


def place(binaries: dict[str, Path], folder: Path) -> None:
    """Puts the binaries into a folder as real files, without copying where the file system allows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in binaries.items():
        target = folder / name
        if target.exists() and target.samefile(source):
            continue
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copy2(source, target)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _go_mod(module: Module) -> dict[str, str]:
    match = re.search(r"^go (\S+)$", (module.folder / "go.mod").read_text(), re.MULTILINE)
    assert match, f"{module.name}/go.mod names no Go version"
    return {"Go": match[1]}


def _kept(module: Module) -> Path:
    pins = [(module.folder / file).read_text() for file in ("go.mod", "go.sum")]
    facts = [pins, module.stamps, module.rename, module.extras, platform.system(), platform.machine()]
    if module.command:
        facts += [module.command, module.embeds, [file.read_text() for file in sorted(module.folder.glob("*.go"))]]
    if module.manifests:
        facts += [module.manifests]
    return cache_folder() / module.name / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _read(module: Module) -> tuple[list[str], int]:
    """Fetches a module's sources: the packages of its commands, and how many there are with all that they import."""
    packages = ["."] if module.command else _go(module, "list", "-f", "{{.ImportPath}}", "tool").split()
    # A command lacks the files that it embeds until it is built, which -e passes over.
    return packages, len(set(_go(module, "list", "-e", "-deps", *packages).split()))


def _build_module(module: Module, reading: Future[tuple[list[str], int]], label: str) -> None:
    kept = _kept(module)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.is_dir():
            return
        # An interrupted build leaves only its own folder, which the next one removes.
        for leftover in kept.parent.glob("building-*"):
            shutil.rmtree(leftover)
        building = Path(tempfile.mkdtemp(prefix="building-", dir=kept.parent))
        _progress(f"{label}: reading its commands' sources")
        packages, total = reading.result()
        with _sources(module) as folder:
            _compile(module, folder, packages, building, label, total)
        for before, after in module.rename:
            (building / before).rename(building / after)
        for path, file in module.extras:
            (Path(shutil.copy(_file_of(module, path, file), building))).chmod(0o755)
        if module.manifests:
            (building / f"{module.name}.yaml").write_text(_manifests(module, *module.manifests))
        building.chmod(0o755)
        building.rename(kept)


@contextmanager
def _sources(module: Module) -> Generator[Path]:
    """The folder in which a module is built: its own, or a copy of it with the files that its command embeds."""
    if not module.embeds:
        yield module.folder
        return
    with tempfile.TemporaryDirectory() as folder:
        for source in [*module.folder.iterdir(), *(_file_of(module, path, file) for path, file in module.embeds)]:
            shutil.copyfile(source, Path(folder) / source.name)
        yield Path(folder)


def _manifests(module: Module, path: str, folders: Sequence[str]) -> str:
    """The manifests in a module that another one requires, as its own kustomizations build them."""
    (kubernetes,) = (each for each in MODULES if each.name == "kubernetes")
    kubectl = build([kubernetes])["kubectl"]
    texts: list[str] = []
    for folder in folders:
        command = [kubectl, "kustomize", _file_of(module, path, folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolError(f"kubectl kustomize {folder} of {path} failed:\n{done.stderr.strip()}")
        texts.append(done.stdout)
    return "---\n".join(texts)


def _file_of(module: Module, path: str, file: str) -> Path:
    """A file in the source of a module that another one requires."""
    return Path(json.loads(_go(module, "mod", "download", "-json", path))["Dir"]) / file


def _compile(module: Module, folder: Path, packages: list[str], into: Path, label: str, total: int) -> None:
    flags = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in module.stamps)])
    # The linker leaves out debugging information (-w), so the compiler need not write any.
    quick = "-gcflags=all=-dwarf=false"
    command = ["go", "build", "-v", "-trimpath", quick, f"-ldflags={flags}"]
    command += ["-o", f"{into}/{module.command}", *packages]
    started = time.monotonic()
    compiled, problems, shown = 0, list[str](), -1e9
    with subprocess.Popen(command, cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            # `go build -v` names each package that it compiles, one a line; anything else is a problem.
            if re.fullmatch(r"[\w./~+-]+\n", line):
                compiled += 1
            elif not line.startswith("go: downloading"):
                problems.append(line)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                _progress(f"{label}: {compiled} of at most {total} packages, {shown - started:.0f} s")
    if process.returncode != 0:
        raise ToolError(f"go build of {module.name} failed:\n{''.join(problems[-20:]).rstrip()}")
    _progress(f"{label}: built in {time.monotonic() - started:.0f} s")


def _go(module: Module, *arguments: str) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=module.folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ToolError(f"go {' '.join(arguments[:2])} in tools/{module.folder.name} failed:\n{done.stderr.strip()}")
    return done.stdout


def _environment() -> dict[str, str]:
    # The pins are what is built: neither a workspace nor a toolchain setting of the user may change them.
    pins = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}
    # More memory for less time: garbage collection takes a fifth of the compiler's time.
    return {"GOGC": "400"} | os.environ | pins


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    known = {module.name: module for module in (*MODULES, *OPERATORS, *CHECKERS)}
    parser = argparse.ArgumentParser(description="Build the tools of the local stack, or those named.")
    parser.add_argument("modules", nargs="*", choices=[[], *known], metavar="MODULE")
    parser.add_argument("--into", type=Path, help="place the binaries in this folder")
    arguments = parser.parse_args()
    chosen = [known[name] for name in dict.fromkeys(arguments.modules)] or MODULES
    try:
        binaries = build(chosen)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.into:
        place(binaries, arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
