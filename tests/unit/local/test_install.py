"""The user's own Kubernetes plugin, as the pulumi command finds it in the local stack."""

import errno
import os
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from local import install
from local.folders import mirror
from local.paths import Home
from tools.modules import PULUMI_KUBERNETES, Module

BINARY = "pulumi-resource-kubernetes"
NAME = f"resource-kubernetes-v{version('pulumi-kubernetes')}"


def test_the_plugin_that_is_built_has_the_version_of_the_sdk() -> None:
    assert version("pulumi-kubernetes") == PULUMI_KUBERNETES


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin in the user's cache, of the version that the SDK requires."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    folder = tmp_path / "user" / ".pulumi" / "plugins" / NAME
    write(folder, "the first")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    built = tmp_path / "cache" / BINARY
    write(built.parent, "ours")

    def build(modules: Sequence[Module]) -> dict[str, Path]:
        return {BINARY: built} if "pulumi-kubernetes" in [each.name for each in modules] else {}

    monkeypatch.setattr(install, "build", build)
    return Home(tmp_path / "local")


def write(folder: Path, text: str) -> None:
    """Puts a plugin there as Pulumi does: by new files."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sub").mkdir(parents=True)
    (folder / BINARY).write_text(text)
    (folder / BINARY).chmod(0o755)
    (folder / "sub" / "LICENSE").write_text("a licence")


def installed(home: Home) -> Path:
    """Where the plugin is after an installation; like the pulumi command, it ignores links."""
    install.install(home)
    found = [each for each in os.scandir(home.pulumi / "plugins") if each.is_dir(follow_symlinks=False)]
    (folder,) = (Path(each.path) for each in found if "kubernetes" in each.name)
    # Nothing that an installation was made by is left.
    assert [each.name for each in home.pulumi.iterdir()] == ["plugins"]
    return folder


def is_ours(folder: Path) -> bool:
    return (folder / BINARY).read_text() == "ours"


def test_the_users_plugin_is_there_as_real_files(users: Path, home: Home) -> None:
    folder = installed(home)
    assert folder.name == users.name
    assert (folder / BINARY).samefile(users / BINARY)
    assert os.access(folder / BINARY, os.X_OK)
    assert not (folder / BINARY).is_symlink()
    assert (folder / "sub" / "LICENSE").read_text() == "a licence"
    before = folder.stat().st_ino
    assert installed(home).stat().st_ino == before


def test_it_is_copied_where_it_cannot_be_linked(users: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: object, target: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", link)
    folder = installed(home)
    assert (folder / BINARY).read_text() == "the first"
    assert not (folder / BINARY).samefile(users / BINARY)
    assert os.access(folder / BINARY, os.X_OK)
    before = folder.stat().st_ino
    assert installed(home).stat().st_ino == before


def test_another_one_of_the_user_takes_its_place(users: Path, home: Home) -> None:
    installed(home)
    write(users, "the second")
    (users / "sub" / "LICENSE").unlink()
    folder = installed(home)
    assert (folder / BINARY).read_text() == "the second"
    assert not (folder / "sub" / "LICENSE").exists()


def test_a_link_of_an_earlier_release_gives_way(users: Path, home: Home) -> None:
    link = home.pulumi / "plugins" / users.name
    link.parent.mkdir(parents=True)
    link.symlink_to(users)
    assert (installed(home) / BINARY).read_text() == "the first"
    assert (users / BINARY).read_text() == "the first"


@pytest.mark.parametrize("gone", [True, False])
def test_a_link_to_what_is_no_plugin_any_more_is_never_written_through(gone: bool, users: Path, home: Home) -> None:
    link = home.pulumi / "plugins" / users.name
    link.parent.mkdir(parents=True)
    link.symlink_to(users)
    (users / BINARY).unlink()
    if gone:
        shutil.rmtree(users)
    assert is_ours(installed(home))
    assert not (users / BINARY).exists()


def test_a_plugin_that_the_user_has_no_longer_is_ours_again(users: Path, home: Home) -> None:
    installed(home)
    kept = users.parent / "elsewhere"
    users.rename(kept)
    assert is_ours(installed(home))
    assert (kept / BINARY).read_text() == "the first"
    kept.rename(users)
    assert (installed(home) / BINARY).read_text() == "the first"


def test_pulumis_home_is_where_the_user_has_it(users: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = users.parents[1].rename(users.parents[2] / "pulumi")
    monkeypatch.setenv("PULUMI_HOME", str(elsewhere))
    assert (installed(home) / BINARY).samefile(elsewhere / "plugins" / NAME / BINARY)


def test_a_shell_with_make_env_does_not_take_the_local_stack_for_the_users(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_ours(installed(home))
    monkeypatch.setenv("PULUMI_HOME", str(home.pulumi))
    write(home.pulumi / "plugins" / NAME, "an older one")
    assert is_ours(installed(home))


def test_an_interrupted_run_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "plugins" / "plugin"
    write(source, "the first")
    mirror(source, target)
    write(source, "the second")
    links = iter([None])

    def link(source: object, target: object) -> None:
        try:
            next(links)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyboardInterrupt):
        mirror(source, target)
    assert (target / BINARY).read_text() == "the first"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["plugins", "source"]
    monkeypatch.undo()
    mirror(source, target)
    assert (target / BINARY).read_text() == "the second"
