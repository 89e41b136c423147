"""Writes placement/api/api_schemas.json: the schemas of the kinds that are built into the local stack's Kubernetes.

    make api-schemas

They come from the Go module of tools/kubernetes, from which the local stack's API servers are built, and so are of the
same version. Needs Go, and minutes where that is not built yet. Descriptions are left out: fields, types and values are
facts, sentences are not ours to copy.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, cast

from placement.api.kinds import BUILT_IN
from placement.api.schemas import FILE, METADATA, definition
from tools.build import ToolError, check_go
from tools.modules import PINNED_KUBERNETES, TOOLS, Module

_MODELS = "k8s.io/kubernetes/pkg/generated/openapi/cmd/models-schema"
_KEPT = ("type", "format", "enum", "required")
_NAME = re.compile(r"io\.k8s\.(?:api|apimachinery\.pkg\.(?:apis|api|util))\.(.+)")

# Where the API's own JSON decoding takes more than one type, which Kubernetes' OpenAPI 2 cannot say.
_UNIONS: Mapping[str, Mapping[str, Any]] = {
    "resource.Quantity": {"type": ["string", "number"], "format": "quantity"},
    "intstr.IntOrString": {"type": ["integer", "string"]},
}

# Fields that may be left out, though the schema calls them required. Source: the defaults and
# validation of Kubernetes 1.36.
_MAY_LACK: Mapping[str, str] = {
    "batch.v1.PodFailurePolicy": "rules",
    "core.v1.HTTPHeader": "value",
    "core.v1.ISCSIVolumeSource": "lun",
    "core.v1.LimitRangeSpec": "limits",
    "core.v1.PreferredSchedulingTerm": "preference",
    "core.v1.SleepAction": "seconds",
    "core.v1.Sysctl": "value",
}


def compact(models: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The schemas of the built-in kinds, from the definitions of Kubernetes' OpenAPI."""
    known = {_short(name): model for name, model in models["definitions"].items()}
    pending = [METADATA, *(definition(target) for target in BUILT_IN.values())]
    defs: dict[str, Any] = {}
    while pending:
        name = pending.pop()
        if name not in defs:
            defs[name] = _UNIONS.get(name) or _plain(known[name])
            if name in _MAY_LACK:
                defs[name]["required"].remove(_MAY_LACK[name])
            if "$ref" in defs[name].get("properties", {}).get("status", {}):
                # The status of an object is written by the server, never sent.
                defs[name]["properties"]["status"] = {"type": "object"}
            pending.extend(_references(defs[name]))
    for each in defs.values():
        _require_spec(each, defs)
    comment = (
        f"Made by make api-schemas from Kubernetes {version}, whose licence is Apache 2.0 "
        f"(https://github.com/kubernetes/kubernetes); descriptions are left out."
    )
    return {"$comment": comment, "version": version, "$defs": dict(sorted(defs.items()))}


def _plain(model: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in model:
        return {"$ref": f"#/$defs/{_short(model['$ref'].rpartition('/')[2])}"}
    plain = {key: deepcopy(model[key]) for key in _KEPT if key in model}
    if "properties" in model:
        plain["properties"] = {key: _plain(each) for key, each in sorted(model["properties"].items())}
        plain["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(model.get(key), Mapping):
            plain[key] = _plain(model[key])
    return plain


def _require_spec(schema: dict[str, Any], defs: Mapping[str, Any]) -> None:
    """Makes a spec with required fields itself required, which the schemas of Kubernetes do not say."""
    for name in _references(schema.get("properties", {}).get("spec", {})):
        if defs[name].get("required"):
            schema["required"] = sorted({*schema.get("required", []), "spec"})


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        for key, value in cast(Mapping[str, Any], schema).items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)


def _short(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match[1] if match else name


def written(schemas: Mapping[str, Any]) -> str:
    """The file's text: each definition in a line of its own, so that a new version shows what it changed."""
    lines = [f'  "{name}": {json.dumps(each, sort_keys=True)}' for name, each in schemas["$defs"].items()]
    head = "".join(f' "{key}": {json.dumps(schemas[key])},\n' for key in ("$comment", "version"))
    return "{\n" + head + ' "$defs": {\n' + ",\n".join(lines) + "\n }\n}\n"


def main() -> int:
    """Ends with 1 where Go is missing, or does not build."""
    try:
        check_go([Module("kubernetes")])
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    done = subprocess.run(["go", "run", _MODELS], cwd=TOOLS / "kubernetes", stdout=subprocess.PIPE, check=False)
    if done.returncode:
        print(f"error: go run {_MODELS} in tools/kubernetes failed; its output is above", file=sys.stderr)
        return 1
    FILE.write_text(written(compact(json.loads(done.stdout), PINNED_KUBERNETES)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
