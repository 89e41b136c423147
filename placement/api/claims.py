"""Reads which devices a pod's claims request, by dynamic resource allocation (DRA).

It knows the claims and templates among the objects of the workload itself. Which nodes have such devices is judged in
fit/devices.py. Source: the API of resource.k8s.io in v1beta1 (a request has its class itself), v1beta2 and v1 (under
`exactly`), Kubernetes 1.32 to 1.35.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from clusters.facts.device_classes import device_classes
from placement.api.lookup import at, elements
from problems import shorten

GROUP = "resource.k8s.io"
_CLAIM, _TEMPLATE = "ResourceClaim", "ResourceClaimTemplate"

Claims = Mapping[tuple[str, str], Mapping[str, Any]]
"""The objects of resource.k8s.io of a workload, by their kind and name."""
Device = tuple[str, int]
"""A device class, and how many devices of it."""


class Claimed(NamedTuple):
    """The devices that a pod's claims request.

    `counted` are those that each pod has for itself. Of each of the `options`, a node must have one alternative: these
    are not counted, since several pods can have the same devices. `doubts` are what cannot be judged.
    """

    counted: Mapping[str, int]
    options: tuple[tuple[Device, ...], ...]
    doubts: tuple[str, ...]


def claimed(pod: Any, claims: Claims) -> Claimed:
    """What the claims of a pod of this spec request; what is malformed is passed over."""
    counted, options, doubts = Counter[str](), list[tuple[Device, ...]](), list[str]()
    for each in elements(at(pod, "resourceClaims")):
        template = at(each, "resourceClaimTemplateName")
        kind, name = (_TEMPLATE, template) if template else (_CLAIM, at(each, "resourceClaimName"))
        found = claims.get((kind, name)) if isinstance(name, str) else None
        if found is None:
            doubts.append(f"resourceClaims: {kind} {shorten(name)} is not among the objects of the workload")
            continue
        if kind == _CLAIM:
            doubts.append(f"{kind} {name}, whose devices all its pods share on one node")
        devices = at(found, "spec", "spec", "devices") if kind == _TEMPLATE else at(found, "spec", "devices")
        if elements(at(devices, "constraints")):
            doubts.append(f"constraints of {kind} {name}")
        for request in elements(at(devices, "requests")):
            doubts += _unjudged(request, f"{kind} {name}")
            alternatives = tuple(_device(part) for part in _parts(request))
            if any(of not in device_classes() for of, _ in alternatives):
                continue
            if kind == _CLAIM or len(alternatives) != 1 or _is_shared(request):
                options.append(alternatives)
            else:
                counted.update(dict(alternatives))
    return Claimed(counted, tuple(each for each in options if each), tuple(doubts))


def _parts(request: Any) -> list[Any]:
    """What a request has of which any will do: itself, or the alternatives of firstAvailable."""
    return [*elements(at(request, "firstAvailable"))] or [at(request, "exactly") or request]


def _device(part: Any) -> Device:
    of, count = at(part, "deviceClassName"), at(part, "count")
    exact = at(part, "allocationMode") in (None, "ExactCount") and type(count) is int
    return of if isinstance(of, str) else "", max(1, count) if exact else 1


def _is_shared(request: Any) -> bool:
    """Whether other pods may have the same devices: with adminAccess, or of those that are consumed in part."""
    return any(at(part, "adminAccess") is True or at(part, "capacity") for part in _parts(request))


def _unjudged(request: Any, claim: str) -> Iterator[str]:
    parts = _parts(request)
    if elements(at(request, "firstAvailable")):
        yield f"which alternative of firstAvailable {claim} gets"
    for part in parts:
        of, mode = at(part, "deviceClassName"), at(part, "allocationMode")
        if not isinstance(of, str) or of not in device_classes():
            yield f"device class {shorten(of)} of {claim}"
        elif mode not in (None, "ExactCount"):
            yield f"allocationMode {shorten(mode)} of {claim}, which takes devices that other pods may have"
        if elements(at(part, "selectors")):
            yield f"selectors of {claim}, which choose among the devices of {shorten(of)}"
    if _is_shared(request):
        yield f"devices of {claim} that other pods may have too"
