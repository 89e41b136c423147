"""Where the local stack keeps what it makes: all of it below one folder, which `make down` removes."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folder of one local stack, `.local` in the project's folder."""

    root: Path

    @property
    def binaries(self) -> Path:
        return self.root / "bin"

    @property
    def clusters(self) -> Path:
        """One folder for each control plane."""
        return self.root / "clusters"

    @property
    def state(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "state"

    @property
    def pulumi(self) -> Path:
        """PULUMI_HOME."""
        return self.root / "pulumi"

    @property
    def agent(self) -> Path:
        """The node agent's pods, lock and log."""
        return self.root / "agent"


def home() -> Home:
    """The local stack of this checkout."""
    return Home(PROJECT / ".local")


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces a file so that a reader, or an interrupted run, sees the old text or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may write the same file at once.
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(part).chmod(mode)
    Path(part).replace(path)


def read_json(path: Path) -> dict[str, object] | None:
    """The object in a file, or None when there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
