"""Resources that are removed while they are read: clusters and pools are removed side by side."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.auth_plugin import credential
from local.control_plane import ControlPlane
from local.gcp.registry import Registry


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of files still has one that is removed before it can be read."""
    listed = Path.glob

    def glob(folder: Path, pattern: str) -> Iterator[Path]:
        yield folder / pattern.replace("*", "0-gone")
        yield from listed(folder, pattern)

    monkeypatch.setattr(Path, "glob", glob)


@pytest.mark.usefixtures("gone")
def test_the_others_are_found(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.put("pool", "a", {"size": 1})
    assert registry.all("pool") == {"a": {"size": 1}}
    assert registry.get("pool", "b") is None


@pytest.mark.usefixtures("gone")
def test_the_credential_of_another_cluster_is_found(tmp_path: Path) -> None:
    pki = tmp_path / "serving" / "kwok" / "clusters" / "serving" / "pki"
    pki.mkdir(parents=True)
    (tmp_path / "serving" / "ports.json").write_text(json.dumps({"kubeApiserverPort": 21000}))
    for name in ("admin.crt", "admin.key"):
        (pki / name).write_text(name)
    found = credential(tmp_path, "https://127.0.0.1:21000")
    assert found and found["status"] == {"clientCertificateData": "admin.crt", "clientKeyData": "admin.key"}


@pytest.mark.usefixtures("gone")
def test_ports_are_chosen(tmp_path: Path) -> None:
    plane = ControlPlane("serving", tmp_path / "serving", tmp_path)
    (tmp_path / "serving").mkdir()
    ports = plane._choose_ports()  # pyright: ignore[reportPrivateUsage]
    assert len(set(ports.values())) == len(ports)
