"""Files that are replaced whole."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.paths import read_json, write_atomically


def test_threads_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "kind" / "file.json"

    def write(number: int) -> None:
        write_atomically(file, json.dumps({"number": number}))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(400)))
    assert read_json(file) in [{"number": number} for number in range(400)]
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o600
