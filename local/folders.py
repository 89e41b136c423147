"""Folders that are copied whole."""

import os
import shutil
import tempfile
from pathlib import Path


def mirror(source: Path, target: Path) -> None:
    """Makes a folder the same as another, as real files: hard links where the file system has them, else copies.

    It replaces whatever exists there, a link included; an interrupted run leaves no half of it.
    """
    if not target.is_symlink() and target.is_dir() and _files(target) == _files(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder's parent, so that an incomplete copy is not taken for one of its folders.
    work = Path(tempfile.mkdtemp(dir=target.parent.parent, prefix=f".{target.name}."))
    try:
        shutil.copytree(source, work / "new", copy_function=_link_or_copy)
        if target.is_symlink() or target.exists():
            target.replace(work / "old")
        (work / "new").replace(target)
    finally:
        shutil.rmtree(work)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """The names, sizes and times of a folder's files, by which its versions differ."""
    found = {str(file.relative_to(folder)): file.stat() for file in folder.rglob("*") if file.is_file()}
    return {name: (each.st_size, each.st_mtime_ns) for name, each in found.items()}


def _link_or_copy(source: str, target: str) -> None:
    try:
        # The file that a link points to, not another link.
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copy2(source, target)
