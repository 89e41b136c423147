"""The resources that the stand-in has created, in files, so that each can be checked against the others."""

import fcntl
import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from local.paths import read_json, write_atomically
from local.wire import Properties


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
        # Others may remove what was listed before it is read.
        found = [read_json(file) for file in sorted((self.folder / kind).glob("*.json"))]
        return {str(each["id"]): cast(Properties, each["properties"]) for each in found if each is not None}

    def get(self, kind: str, identifier: str) -> Properties | None:
        """One resource, or None when there is none."""
        found = read_json(self._file(kind, identifier))
        return None if found is None else cast(Properties, found["properties"])

    def put(self, kind: str, identifier: str, properties: Properties) -> None:
        """Writes a resource, in place of an existing one of its id."""
        write_atomically(self._file(kind, identifier), json.dumps({"id": identifier, "properties": properties}))

    def remove(self, kind: str, identifier: str) -> None:
        """Removes a resource; one that is gone already is no error."""
        self._file(kind, identifier).unlink(missing_ok=True)

    def _file(self, kind: str, identifier: str) -> Path:
        # An id can be longer than a file's name.
        return self.folder / kind / f"{hashlib.sha256(identifier.encode()).hexdigest()}.json"
