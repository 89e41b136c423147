"""What the volumes of a pod hold, as files of the process."""

import base64
from pathlib import Path
from typing import Any, cast

import pytest

from local.api import Api, ApiError
from local.pod_files import mounts, write_volumes

OBJECTS = {
    "/api/v1/namespaces/system/configmaps/config": {"data": {"config.yaml": "a: 1\n", "other": "x"}},
    "/api/v1/namespaces/system/secrets/cert": {"data": {"tls.crt": base64.b64encode(b"certificate").decode()}},
}


class FakeApi:
    """An API server with these objects."""

    def get(self, path: str) -> Any:
        if path not in OBJECTS:
            raise ApiError(404, f"{path} not found")
        return OBJECTS[path]


API = cast(Api, FakeApi())


def pod(volume: dict[str, Any], mount: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "manager", "volumeMounts": [{"name": "v", **mount}]}
    volumes = [{"name": "v", **volume}]
    return {"metadata": {"namespace": "system"}, "spec": {"containers": [container], "volumes": volumes}}


def written(root: Path, volume: dict[str, Any], mount: dict[str, Any]) -> dict[str, str]:
    body = pod(volume, mount)
    write_volumes(API, body, body["spec"]["containers"][0], root)
    return {str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.is_file()}


def test_a_config_map_is_a_folder_of_its_keys(tmp_path: Path) -> None:
    files = written(tmp_path, {"configMap": {"name": "config"}}, {"mountPath": "/etc/config"})
    assert files == {"etc/config/config.yaml": "a: 1\n", "etc/config/other": "x"}


def test_items_are_what_is_mounted(tmp_path: Path) -> None:
    volume = {"configMap": {"name": "config", "items": [{"key": "other", "path": "deep/name"}]}}
    assert written(tmp_path, volume, {"mountPath": "/etc/config"}) == {"etc/config/deep/name": "x"}


def test_a_sub_path_is_a_file(tmp_path: Path) -> None:
    mount = {"mountPath": "/config.yaml", "subPath": "config.yaml"}
    assert written(tmp_path, {"configMap": {"name": "config"}}, mount) == {"config.yaml": "a: 1\n"}


def test_a_secret_is_decoded_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    assert written(tmp_path, {"secret": {"secretName": "cert"}}, {"mountPath": "/c"}) == {"c/tls.crt": "certificate"}
    assert (tmp_path / "c" / "tls.crt").stat().st_mode & 0o777 == 0o600


def test_an_empty_volume_is_a_folder(tmp_path: Path) -> None:
    assert written(tmp_path, {"emptyDir": {}}, {"mountPath": "/visibility"}) == {}
    assert (tmp_path / "visibility").is_dir()


def test_what_does_not_exist_is_waited_for_unless_it_is_optional(tmp_path: Path) -> None:
    with pytest.raises(ApiError):
        written(tmp_path, {"secret": {"secretName": "other"}}, {"mountPath": "/c"})
    assert written(tmp_path, {"secret": {"secretName": "other", "optional": True}}, {"mountPath": "/c"}) == {}


def test_two_pods_have_paths_of_their_own(tmp_path: Path) -> None:
    container = {"volumeMounts": [{"name": "v", "mountPath": "/tmp/certs"}]}
    assert mounts(container, tmp_path / "a") == {"/tmp/certs": tmp_path / "a" / "tmp" / "certs"}
    assert mounts({}, tmp_path) == {}
