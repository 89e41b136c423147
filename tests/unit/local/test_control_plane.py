"""A control plane that is created on a busy machine."""

from pathlib import Path

import pytest

from local.control_plane import ControlPlane


@pytest.mark.parametrize(("whole", "expected"), [(True, ["create"]), (False, ["create", "stop", "start"])])
def test_a_server_that_has_given_up_is_started_again(
    whole: bool, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def kwokctl(_: ControlPlane, *arguments: str) -> None:
        done.append(arguments[0])

    def answers(_: ControlPlane) -> bool:
        return whole and bool(done)

    def stop(_: ControlPlane) -> None:
        done.append("stop")

    monkeypatch.setattr(ControlPlane, "_kwokctl", kwokctl)
    monkeypatch.setattr(ControlPlane, "_answers", answers)
    monkeypatch.setattr(ControlPlane, "_stop", stop)
    ControlPlane("one", tmp_path / "clusters" / "one", tmp_path / "bin").start()
    assert done == expected
