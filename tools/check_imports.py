"""Checks which folder imports which, by the contracts in .importlinter.

    python -m tools.check_imports

import-linter reads packages alone: each file beside them is shown to it as a package of one file, and __main__.py,
whose name is taken by whatever runs, as `program`.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
CONTRACTS = ".importlinter"
_LEFT_OUT = ("tests", "workloads")


def main() -> int:
    """Ends with 1 where a contract is broken, and says by which imports."""
    broken = check_imports(ROOT)
    print(broken, end="", file=sys.stderr)
    return 1 if broken else 0


def check_imports(root: Path) -> str:
    """What is broken in the project in a folder; empty where all contracts are kept."""
    command = [Path(sys.executable).with_name("lint-imports"), "--config", root / CONTRACTS, "--no-cache"]
    with TemporaryDirectory() as folder:
        link_packages(root, Path(folder))
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def link_packages(root: Path, folder: Path) -> None:
    """Makes a package in a folder of everything in the project's that holds Python."""
    for file in root.glob("*/*.py"):
        package = folder / file.parent.name
        if file.parent.name not in _LEFT_OUT:
            package.mkdir(exist_ok=True)
            (package / "__init__.py").touch()
    for package in list(folder.iterdir()):
        for each in (root / package.name).iterdir():
            if each.suffix == ".py" or each.is_dir():
                link = package / each.name
                link.unlink(missing_ok=True)
                link.symlink_to(each)
    for file in root.glob("*.py"):
        package = folder / ("program" if file.name == "__main__.py" else file.stem)
        package.mkdir()
        (package / "__init__.py").symlink_to(file)


if __name__ == "__main__":
    sys.exit(main())
