"""Settings and manifests that are meant to do harm, each with text of the message that is expected."""

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.objects import job

_JOB = json.dumps(job(parallelism=2))
_GOOD: dict[str, Any] = {
    "clusters": {
        "training": {"region": "us-west1", "slot": 0, "role": "training"},
        "serving": {"region": "europe-west1", "slot": 1, "role": "serving"},
    },
    "federation": {"host": "training"},
    "workloads": {"train": {"manifests": "job.yaml", "namespace": "ai", "placement": {"policy": "spread"}}},
}
Settings = dict[str, Any]


@dataclass(frozen=True)
class Hostile:
    """An attack: what it makes of good settings in a folder with good manifests, and the message that is expected."""

    message: str
    act: Callable[[Settings, Path], object]

    def prepare(self, folder: Path) -> Settings:
        """Writes the files into an empty folder, and returns the settings."""
        (folder / "job.yaml").write_text(_JOB)
        settings = copy.deepcopy(_GOOD)
        self.act(settings, folder)
        return settings


def _manifest(text: str | bytes | Callable[[], bytes], message: str) -> Hostile:
    def act(_: Settings, folder: Path) -> None:
        content = text() if callable(text) else text
        (folder / "job.yaml").write_bytes(content.encode() if isinstance(content, str) else content)

    return Hostile(message, act)


def _object(message: str, kind: str = "ConfigMap", api: str = "v1", **more: str) -> Hostile:
    metadata = more.pop("metadata", "{name: a}")
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return _manifest(f"{{apiVersion: {api}, kind: {kind}, metadata: {metadata}{rest}}}", message)


def _fields(count: int) -> str:
    return "{" + ", ".join(f"f{index:08}: 1" for index in range(count)) + "}"


def _file(name: str, message: str) -> Hostile:
    return _set("workloads", "train", "manifests", value=name, message=message)


def _link(target: str, message: str) -> Hostile:
    def act(_: Settings, folder: Path) -> None:
        (folder / "job.yaml").unlink()
        (folder / "job.yaml").symlink_to(target)

    return Hostile(message, act)


def _linked_folder(settings: Settings, folder: Path) -> None:
    (folder / "workloads").symlink_to("/etc")
    settings["workloads"]["train"]["manifests"] = "workloads/hostname"


def _pipe(_: Settings, folder: Path) -> None:
    (folder / "job.yaml").unlink()
    os.mkfifo(folder / "job.yaml")


def _set(*path: str, value: Any, message: str) -> Hostile:
    def act(settings: Settings, _: Path) -> None:
        *parents, last = path
        node = settings
        for key in parents:
            node = node[key]
        node[last] = value() if callable(value) else value

    return Hostile(message, act)


def _clusters(count: int) -> Settings:
    return {f"c{index}": {"region": "nowhere", "slot": index, "role": "r"} for index in range(count)}


def _overridden(value: Any) -> Settings:
    return {"serving": [{"path": "/spec/suspend", "op": "add", "value": value}]}


def _nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def _aliases(first: str, each: str, levels: int = 9) -> str:
    """Documents of a few lines, each of which has the one before nine times."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{level}: &a{level} {each.format(', '.join([f'*a{level - 1}'] * 9))}" for level in range(1, levels + 1)]
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + "\n".join(lines)


_TAG = "which Kubernetes objects do not have"
_DEEP = "nested more than 64 deep"
_LARGE = "larger than 1 MiB"
_UNFOLDED = "more than 2 MiB once its aliases are written out"

MANIFESTS: Mapping[str, Hostile] = {
    "10 MB of one text": _manifest(lambda: b"a: " + b"x" * 10_000_000, _LARGE),
    "10 MB of objects": _manifest(lambda: b"---\n" + (_JOB.encode() + b"\n---\n") * 120_000, _LARGE),
    "10 MB of nesting": _manifest(lambda: b"[" * 10_000_000, _LARGE),
    "10 MB that are not UTF-8": _manifest(lambda: b"\xff" * 10_000_000, _LARGE),
    "1 MB of numbers": _manifest(lambda: b"[" + b"1," * 500_000 + b"1]", _UNFOLDED),
    "1 MB of empty documents": _manifest(lambda: b"---\n" * 250_000, _UNFOLDED),
    "1 MB of comments": _manifest(lambda: b"# x\n" * 250_000, "no object"),
    "1 MB of wrong objects": _manifest(lambda: b"--- {a: 1}\n" * 30_000, "more mistakes are in the file"),
    "1 MB of unknown fields": _object("more mistakes are in the file", spec=_fields(40_000), kind="Service"),
    "thousands of objects with unknown fields": _manifest(
        lambda: b"--- {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIPPs: 1}}\n" * 4_000,
        "more mistakes are in the file",
    ),
    "1 MB of labels": _object("is a number", metadata="{name: a, labels: " + _fields(40_000) + "}"),
    "thousands of Jobs": _manifest(lambda: b"---\n" + (_JOB.encode() + b"\n---\n") * 2_500, "appears twice"),
    "a number in a field": _object("put it in quotes", data="{x: 1}"),
    "a field of many lines": _object(r"sp\n", more='{}, "sp\\n  fake: line": 1'),
    "a value of many lines": _object(r"'a\n", data="[1]", metadata='{name: a, labels: {a: "a\\n  fake: line"}}'),
    "1 MB in one anchor": _manifest("&" + "a" * 1_000_000 + " b", "not a Kubernetes object"),
    "lists nested a thousand deep": _manifest("[" * 1000 + "]" * 1000, _DEEP),
    "maps nested a thousand deep": _manifest("{a: " * 1000 + "}" * 1000, _DEEP),
    "lines nested a thousand deep": _manifest("- " * 1000, _DEEP),
    "open lists 100,000 deep": _manifest("[" * 100_000, _DEEP),
    "keys that are lists": _manifest("? [" * 1000, _DEEP),
    "a bomb of lists": _manifest(_aliases("[lol, lol, lol]", "[{}]"), _UNFOLDED),
    "a bomb of maps": _manifest(_aliases("{x: lol}", "{{x: [{}]}}"), _UNFOLDED),
    "a bomb of merged maps": _manifest(_aliases("{x: lol}", "{{<<: [{}]}}"), _UNFOLDED),
    "a bomb of one long text": _manifest(
        lambda: b"a: &a " + b"x" * 500_000 + b"\nb: [" + b"*a, " * 9_000 + b"*a]", _UNFOLDED
    ),
    "an alias of what it is in": _object("inside its own value", data="&d {x: *d}"),
    "an alias of nothing": _object("undefined alias", data="{x: *nothing}"),
    "an alias with a long name": _object("undefined alias", data="{x: *" + "n" * 100_000 + "}"),
    "a Python object": _manifest("!!python/object/apply:os.system ['true']", _TAG),
    "a tag of its own": _object(_TAG, data="!evil {x: y}"),
    "bytes": _object(_TAG, data="{x: !!binary aGVsbG8=}"),
    "a set": _object(_TAG, data="!!set {x}"),
    "not UTF-8": _manifest(b"apiVersion: \xff\xfe", "not UTF-8"),
    "UTF-16": _manifest("kind: Job".encode("utf-16"), "not UTF-8"),
    "control characters": _manifest("kind: \x07\x1b[31m", "not YAML"),
    "half a character": _object("fix", data='{x: "\\ud800"}'),
    "a number of ten thousand digits": _object(
        "spec.replicas: '999", "Deployment", "apps/v1", spec="{replicas: " + "9" * 10_000 + "}"
    ),
    "a number of more than 53 bits": _object("53 bits", data="{x: 9007199254740993}"),
    "a number that is none": _object("is nan", data="{x: .nan}"),
    "a number without end": _object("is inf", data="{x: .inf}"),
    "keys that are numbers": _object("has the key 1", data="{1: x}"),
    "two namespaces": _manifest(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}\n---\n"
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ai}}",
        "names namespace ai, and object 1 names kube-system in line 1",
    ),
    "a namespace in place of text": _object("names namespace {", metadata="{name: a, namespace: {a: b}}"),
    "a namespace of many lines": _object(
        r"names namespace 'ai\n", metadata='{name: a, namespace: "ai\\n  fake: line"}'
    ),
    "a name that is a path": _object("metadata.name '../../etc/passwd'", metadata="{name: ../../etc/passwd}"),
    "a name of many lines": _object(r"metadata.name 'a\n", metadata='{name: "a\\n  fake: line"}'),
    "a name with a line's end": _object(r"metadata.name 'a\n'", metadata='{name: "a\\n"}'),
    "a name that is too long": _object("metadata.name 'aaa", metadata="{name: " + "a" * 254 + "}"),
    "a name of dots": _object("metadata.name '..'", metadata="{name: ..}"),
    "a kind of many lines": _object("is not a type of object", kind='"Job\\n  fake: line"'),
    "a kind that is a URN": _object("is not a type of object", kind='"a::b$c"'),
    "a group that is a path": _object("is not a type of object", api="../../v1"),
    "a long kind": _object("is not a type of object", kind="K" * 100_000),
    "a ClusterRole": _object("not an enabled type", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    "a ClusterRoleBinding": _object("not an enabled type", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    "a CustomResourceDefinition": _object("not an enabled type", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    "a webhook": _object("not an enabled type", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    "a PersistentVolume": _object("not an enabled type", "PersistentVolume"),
    "a Node": _object("not an enabled type", "Node"),
    "a Namespace": _object("not an enabled type", "Namespace"),
    "a KubeFedCluster": _object("not an enabled type", "KubeFedCluster", "core.kubefed.io/v1beta1"),
    "a federated object": _object("not an enabled type", "FederatedSecret", "types.kubefed.io/v1beta1"),
    "a List of others": _object(
        "not an enabled type", "List", items="[{apiVersion: v1, kind: Node, metadata: {name: a}}]"
    ),
    "a List of nothing": _object("no object", "List", items="[]"),
    "a List of lists without end": _manifest("{apiVersion: v1, kind: List, items: [" * 40 + "]}" * 40, _DEEP),
    "a bomb of Lists": _manifest(
        "x: [&a0 {apiVersion: v1, kind: List, items: []}"
        + "".join(
            f", &a{level} {{apiVersion: v1, kind: List, items: [{', '.join([f'*a{level - 1}'] * 9)}]}}"
            for level in range(1, 10)
        )
        + "]\n",
        _UNFOLDED,
    ),
    "1 MB of one key": _manifest("a: 1\n" * 200_000, _UNFOLDED),
    "ten thousand of one key": _manifest("a: 1\n" * 10_000, "appears 10000 times, first in lines 1 and 2"),
    "pairs of half characters": _manifest(r'["\ud83d\ude00", ' + "[" * 1000, _DEEP),
    "1 MB of half characters": _manifest("- '" + r"\ud83d\ude00" * 80_000 + "'", "not a Kubernetes object"),
    "1 MB of backslashes": _manifest("- '" + "\\" * 1_000_000 + r"ud83d\ude00'", "not a Kubernetes object"),
}

SETTINGS: Mapping[str, Hostile] = {
    "a path up": _file("../../etc/passwd", "outside the project"),
    "a path down and up": _file("workloads/../../../etc/passwd", "outside the project"),
    "an absolute path": _file("/etc/passwd", "outside the project"),
    "an endless device": _file("/dev/zero", "outside the project"),
    "a path with a null": _file("job.yaml\0.png", "cannot be read"),
    "a path that is too long": _file("a/" * 100_000, "cannot be read"),
    "a path with an escape": _file("\x1b[2Jjob.yaml", "no such file"),
    "a link to a file elsewhere": _link("/etc/passwd", "a link to a file outside the project"),
    "a link to a device": _link("/dev/zero", "a link to a file outside the project"),
    "a link to itself": _link("job.yaml", "cannot be read"),
    "a link that goes up": _link("../../../../../../../../etc/passwd", "a link to a file outside the project"),
    "a folder that is a link": Hostile("a link to a file outside the project", _linked_folder),
    "a pipe": Hostile("not a file", _pipe),
    "a thousand clusters": _set("clusters", value=lambda: _clusters(1000), message="room for 64"),
    "a hundred thousand clusters": _set("clusters", value=lambda: _clusters(100_000), message="room for 64"),
    "a thousand wrong workloads": _set(
        "workloads",
        value=lambda: {
            f"w{index}": {"manifests": "no.yaml", "namespace": "ai", "placement": {"policy": "spreed"}}
            for index in range(1000)
        },
        message="and 900 more",
    ),
    "ten thousand unknown clusters": _set(
        "workloads",
        "train",
        "placement",
        value=lambda: {"policy": "clusters", "clusters": [f"servin{index}" for index in range(10_000)]},
        message="not a member of this stack",
    ),
    "a cluster with an escape": _set("clusters", "a\x1b[2J", value={}, message=r"clusters.a\x1b[2J"),
    "a cluster of many lines": _set("clusters", "a\n  fake: line", value={}, message=r"clusters.a\n  fake: line"),
    "a cluster that is a path": _set("clusters", "../a", value={}, message="lower-case"),
    "a cluster with a name of 10 MB": _set("clusters", "a" * 10_000_000, value={}, message="lower-case"),
    "a setting of many lines": _set("fede\n  fake: line", value=1, message=r"fede\n  fake: line: unknown"),
    "a region with an escape": _set("clusters", "serving", "region", value="us-west1\x1b[2J", message=r"\x1b[2J"),
    "a region of 10 MB": _set("clusters", "serving", "region", value="a" * 10_000_000, message="not a region"),
    "a role with a line's end": _set("clusters", "serving", "role", value="serving\n", message=r"serving\n"),
    "a type of many lines": _set("federation", "types", value=["jobs\n.batch"], message=r"'jobs\n.batch'"),
    "a host that is a path": _set("federation", "host", value="../../training", message="not a member"),
    "a namespace that is a path": _set("workloads", "train", "namespace", value="../kube-system", message="lower-case"),
    "a namespace that is not its own": _set(
        "workloads", "train", "namespace", value="kube-system", message="does not federate it"
    ),
    "an override of a name": _set(
        "workloads",
        "train",
        "overrides",
        value={"serving": [{"path": "/metadata/name", "value": "b"}]},
        message="same",
    ),
    "an override nested a hundred deep": _set(
        "workloads", "train", "overrides", value=lambda: _overridden(_nested(100)), message="nested too deep"
    ),
    "settings nested 10,000 deep": _set("clusters", value=lambda: _nested(10_000), message="nested too deep"),
    "a policy nested fifty deep": _set(
        "workloads", "train", "placement", value=lambda: {"policy": _nested(50)}, message="write"
    ),
    "an override of many lines": _set(
        "workloads",
        "train",
        "overrides",
        value={"serving": [{"path": "/spec/a\x1b[2J", "value": 1}]},
        message=r"\x1b[2J",
    ),
    "a bucket with an escape": _set(
        "workloads", "train", "placement", value={"policy": "nearest", "to": "gs://a\x1b[2J"}, message=r"\x1b[2J"
    ),
    "a weight without end": _set(
        "workloads",
        "train",
        "placement",
        value={"policy": "weighted", "weights": {"serving": 10**300}},
        message="weights",
    ),
}

ALL: Mapping[str, Hostile] = {**MANIFESTS, **SETTINGS}
