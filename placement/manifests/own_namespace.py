"""Replaces the one namespace that a file's objects name by the workload's own.

It does not decide which namespaces a workload may have (workload.py does), and changes no address inside values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from placement.api.lookup import elements, entries
from placement.manifests.objects import Mistake, Written
from problems import DNS_LABEL, shorten

_FIELD = ("metadata", "namespace")


def named_namespaces(written: Sequence[Written]) -> dict[str, Written]:
    """The namespaces that objects name, each with the first object that names it."""
    named: dict[str, Written] = {}
    for each in written:
        name = each.metadata.get("namespace")
        if isinstance(name, str) and re.fullmatch(DNS_LABEL, name):
            named.setdefault(name, each)
    return named


def check_namespace(written: Written, namespace: str) -> Iterator[Mistake]:
    """Yields what is wrong with the namespace that an object names."""
    name = written.metadata.get("namespace")
    # As for kubectl, an empty namespace is none.
    if name not in (None, "") and not (isinstance(name, str) and re.fullmatch(DNS_LABEL, name)):
        advice = f"leave it out, or write the workload's namespace {namespace}"
        yield Mistake(written, f"{written.title} names namespace {shorten(name)}; {advice}", _FIELD)


def check_one_namespace(named: Mapping[str, Written], namespace: str) -> Iterator[Mistake]:
    """Yields a mistake for each namespace after the first: which objects belong together is unknown."""
    if len(named) < 2:
        return
    (name, first), *others = named.items()
    before = f"{first.place} names {name} in line {first.line(_FIELD)}"
    own = f"the workload's namespace {namespace}"
    advice = f"leave them out, since all are placed in {own}, or make two workloads of the file"
    for other, each in others:
        yield Mistake(each, f"names namespace {other}, and {before}; {advice}", _FIELD)


def in_namespace(body: Mapping[str, Any], old: str, new: str) -> Mapping[str, Any]:
    """The object with the namespace `new` where it names the `old` one, in its metadata or a binding's subjects."""
    metadata = entries(body.get("metadata"))
    if metadata.get("namespace") == old:
        body = {**body, "metadata": {**metadata, "namespace": new}}
    subjects = body.get("subjects")
    if body.get("kind") in ("RoleBinding", "ClusterRoleBinding") and isinstance(subjects, list):
        replaced = [
            {**entries(each), "namespace": new} if entries(each).get("namespace") == old else each
            for each in elements(subjects)
        ]
        body = {**body, "subjects": replaced}
    return body


def addresses_in(value: Any, namespace: str) -> bool:
    """Whether some text has the address of a Service in the namespace, such as http://api.default.svc:8000."""
    if isinstance(value, str):
        return re.search(rf"[a-z0-9]\.{re.escape(namespace)}\.svc\b", value) is not None
    inside = cast(list[Any], value) if isinstance(value, list) else entries(value).values()
    return any(addresses_in(each, namespace) for each in inside)
