"""What the stand-in has made, kept in files, so that one resource can be checked against the others."""

import fcntl
import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.paths import write_atomically
from local.plugin import Properties


class Registry:
    """The resources of every kind, by id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keeps every other request out, so that what was checked still holds when it is put."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def all(self, kind: str) -> dict[str, Properties]:
        """Every resource of a kind, by its id."""
        found = [json.loads(file.read_text()) for file in sorted((self.folder / kind).glob("*.json"))]
        return {each["id"]: each["properties"] for each in found}

    def get(self, kind: str, identifier: str) -> Properties | None:
        """One resource, or None when there is none."""
        file = self._file(kind, identifier)
        return json.loads(file.read_text())["properties"] if file.exists() else None

    def put(self, kind: str, identifier: str, properties: Properties) -> None:
        """Keeps a resource in place of what was there under its id."""
        write_atomically(self._file(kind, identifier), json.dumps({"id": identifier, "properties": properties}))

    def remove(self, kind: str, identifier: str) -> None:
        """Forgets a resource; one that is gone already is no error."""
        self._file(kind, identifier).unlink(missing_ok=True)

    def _file(self, kind: str, identifier: str) -> Path:
        # An id can be longer than a file's name.
        return self.folder / kind / f"{hashlib.sha256(identifier.encode()).hexdigest()}.json"
