"""The files of a pod that runs as a process: what its volumes hold, and the credentials of its ServiceAccount."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.api import Api, ApiError
from local.control_plane import ControlPlane
from local.paths import write_atomically
from placement.api.lookup import texts


def mounts(container: Mapping[str, Any], root: Path) -> dict[str, Path]:
    """Where on this machine each path is at which a container has something mounted: below the pod's root folder."""
    paths = [str(each["mountPath"]) for each in container.get("volumeMounts", [])]
    return {path: root / path.lstrip("/") for path in paths}


def write_volumes(api: Api, body: Mapping[str, Any], container: Mapping[str, Any], root: Path) -> None:
    """Writes what the pod's ConfigMaps and Secrets hold into its folder; other volumes are empty folders.

    Raises ApiError where one does not exist that the pod does not call optional.
    """
    volumes = {volume["name"]: volume for volume in body["spec"].get("volumes", [])}
    found = mounts(container, root)
    for mount in container.get("volumeMounts", []):
        target = found[str(mount["mountPath"])]
        files = _files(api, body["metadata"]["namespace"], volumes.get(mount["name"], {}))
        if "subPath" in mount:
            if mount["subPath"] in files:
                _write(target, files[mount["subPath"]])
        else:
            target.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                _write(target / name, content)


def _files(api: Api, namespace: str, volume: Mapping[str, Any]) -> dict[str, bytes]:
    """What a volume holds, by the names of its files."""
    below = f"/api/v1/namespaces/{namespace}"
    if "configMap" in volume:
        source = volume["configMap"]
        found = _found(api, f"{below}/configmaps/{source['name']}", source)
        files = {key: text.encode() for key, text in texts(found.get("data")).items()}
        files |= _decoded(found.get("binaryData"))
    elif "secret" in volume:
        source = volume["secret"]
        found = _found(api, f"{below}/secrets/{source['secretName']}", source)
        files = _decoded(found.get("data"))
    else:
        return {}
    items = source.get("items")
    return {item["path"]: files[item["key"]] for item in items if item["key"] in files} if items else files


def _decoded(data: Any) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in texts(data).items()}


def _found(api: Api, path: str, source: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return api.get(path)
    except ApiError as error:
        if error.status == 404 and source.get("optional"):
            return {}
        raise


def _write(file: Path, content: bytes) -> None:
    if not file.exists() or file.read_bytes() != content:
        write_atomically(file, content.decode())


def write_credentials(api: Api, plane: ControlPlane, body: Mapping[str, Any], folder: Path, seconds: int) -> None:
    """Writes a kubeconfig of the pod's ServiceAccount into a folder, with a token that is valid so many seconds.

    The client reads the token's file again when it ages.
    """
    metadata, spec = body["metadata"], body["spec"]
    account = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{spec['serviceAccountName']}/token"
    request = {"spec": {"expirationSeconds": seconds}}
    write_atomically(folder / "token", api.create(account, request)["status"]["token"])
    cluster = {"server": f"https://{plane.endpoint}", "certificate-authority-data": plane.certificate_authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "account", "user": {"tokenFile": str(folder / "token")}}],
        "contexts": [{"name": "pod", "context": {"cluster": "cluster", "user": "account"}}],
    }
    write_atomically(folder / "kubeconfig", yaml.safe_dump(config))
