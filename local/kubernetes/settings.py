"""The provider's own inputs: flags, the default namespace, and the kubeconfig with its overrides."""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import yaml

from local.kubernetes.values import rows, table
from local.plugin import UNKNOWN, Difference, Properties, Refused

# The environment speaks where the provider's inputs are silent.
_FLAGS = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
}
_UNSUPPORTED = ("renderYamlToDirectory",)
_WHERE = ("kubeconfig", "context", "cluster")
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Settings:
    """The inputs of one provider, as the engine hands them over: flags come as text."""

    def __init__(self, inputs: Properties, environment: Mapping[str, str] = os.environ) -> None:
        self._inputs, self._environment = inputs, environment

    def flag(self, name: str) -> bool:
        """Whether a flag is set, by the provider or by its environment variable."""
        value = self._inputs.get(name)
        return str(self._environment.get(_FLAGS[name], "") if value is None else value).lower() in ("true", "1")

    def mutable(self, kind: str) -> bool:
        """Whether the data of a kind is changed in place where Pulumi replaces the object by default."""
        return kind in ("ConfigMap", "Secret") and self.flag(f"enable{kind}Mutable")

    @cached_property
    def kubeconfig(self) -> Properties | None:
        """The kubeconfig as plain values; None while it is unknown. Raises Refused."""
        if any(self._inputs.get(key) == UNKNOWN for key in _WHERE):
            return None
        config = _merged(self._inputs.get("kubeconfig"), self._environment)
        if self._inputs.get("context"):
            config["current-context"] = self._inputs["context"]
        if self._inputs.get("cluster"):
            _context(config)["cluster"] = self._inputs["cluster"]
        return config

    @cached_property
    def namespace(self) -> str | None:
        """Where objects go that name no namespace; None while that is unknown."""
        chosen = self._inputs.get("namespace")
        if chosen:
            return None if chosen == UNKNOWN else str(chosen)
        config = self.kubeconfig
        return None if config is None else str(_context(config).get("namespace") or "default")


def wrong(inputs: Properties) -> dict[str, str]:
    """What is wrong with the provider's inputs, by property."""
    found = {
        key: "the local stand-in for the kubernetes plugin cannot do it" for key in _UNSUPPORTED if inputs.get(key)
    }
    if str(inputs.get("enableServerSideApply", "true")).lower() == "false":
        found["enableServerSideApply"] = "the local stand-in for the kubernetes plugin applies on the server only"
    return found


def difference(old: Properties, new: Properties) -> Difference:
    """What changed in the provider's inputs; a replacement, of all that is in the cluster, where it is another cluster.

    With a clusterIdentifier, it says so; where it was added or taken away, and without one, the kubeconfig does.
    """
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    replaces: list[str] = []
    if old.get("clusterIdentifier") and new.get("clusterIdentifier"):
        replaces = [key for key in changed if key == "clusterIdentifier"]
    elif _active_cluster(old) != _active_cluster(new):
        replaces = [key for key in changed if key in _WHERE]
    return Difference([key for key in changed if key not in replaces], replaces)


def _active_cluster(inputs: Properties) -> Any:
    """What the kubeconfig says of the cluster in use; an unknown one is another one, to be safe."""
    if any(inputs.get(key) == UNKNOWN for key in _WHERE):
        return object()
    try:
        config = Settings(inputs).kubeconfig or {}
    except Refused:
        return None
    name = _context(config).get("cluster")
    return next((each.get("cluster") for each in rows(config, "clusters") if each.get("name") == name), None)


def _context(config: Properties) -> Properties:
    """The current context; an empty one where there is none."""
    for each in rows(config, "contexts"):
        if each.get("name") == config.get("current-context"):
            return each.setdefault("context", {})
    return {}


def _merged(value: Any, environment: Mapping[str, str]) -> Properties:
    if value and not isinstance(value, str):
        return cast(Properties, value)
    text = str(value or "")
    if "\n" in text or text.lstrip().startswith("{"):
        return _parsed(text)
    listed = text or environment.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    files = [Path(part) for part in listed.split(os.pathsep) if part]
    configs = [_read(file) for file in files if len(files) == 1 or file.exists()]
    merged: Properties = {}
    for config in configs:
        for key, each in config.items():
            merged[key] = [*merged.get(key, []), *each] if isinstance(each, list) else merged.get(key) or each
    return merged


def _read(file: Path) -> Properties:
    try:
        config = _parsed(file.read_text())
    except OSError as error:
        raise Refused(f"the provider's kubeconfig {file} cannot be read: {error.strerror}") from None
    # Paths in a kubeconfig are seen from its own folder.
    for section in ("clusters", "users"):
        for each in rows(config, section):
            body = table(each, section.removesuffix("s"))
            body.update({key: str(file.parent / body[key]) for key in _FILES if body.get(key)})
    return config


def _parsed(text: str) -> Properties:
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        # The parser's own words would show the text, and with it the credentials.
        raise Refused("the provider's kubeconfig is not YAML") from None
    if not isinstance(loaded, dict):
        raise Refused("the provider's kubeconfig is not one; give its path or its contents")
    return json.loads(json.dumps(loaded, default=str))
