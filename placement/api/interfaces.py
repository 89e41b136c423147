"""Reads the annotations by which pods request network interfaces of GKE, beside that of the cluster's network.

Which nodes have these networks is judged in fit/devices.py. Sources, read 2026-11-27: InterfaceRef of GKE's networking
API, v1 (a list of interfaceName with network or interface), and fetchMultiNICAnnotation of the network agent as Google
publishes it, which starts no pod without a default interface of the list.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from placement.api.lookup import at, elements
from problems import shorten

INTERFACES = "networking.gke.io/interfaces"
_DEFAULT = "networking.gke.io/default-interface"
_EXAMPLE = '[{"interfaceName": "eth1", "network": "vpc1"}]'


class Interfaces(NamedTuple):
    """The networks that a pod's annotations name, without the cluster's own, and what of them cannot be judged."""

    networks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def interfaces_of(annotations: Mapping[str, str]) -> Interfaces:
    """The networks that pods with these annotations request."""
    if INTERFACES not in annotations:
        return Interfaces()
    found, mistake = _read(annotations[INTERFACES])
    if mistake:
        return Interfaces((), (f"annotation {INTERFACES}, which is {mistake}",))
    doubts = [f"NetworkInterface {shorten(at(each, 'interface'))}" for each in found if at(each, "interface")]
    default = annotations.get(_DEFAULT)
    if default not in [at(each, "interfaceName") for each in found]:
        named = f"{_DEFAULT}: {shorten(default)}, which {INTERFACES} does not have" if default else f"no {_DEFAULT}"
        doubts.append(f"{named}; write an interfaceName of {INTERFACES}")
    names = dict.fromkeys(at(each, "network") for each in found)
    return Interfaces(tuple(each for each in names if each and each != "default"), tuple(doubts))


def interface_mistake(annotations: Mapping[str, str]) -> str:
    """Why GKE cannot read the annotation of a pod's interfaces, with what to write; empty where it can."""
    mistake = _read(annotations[INTERFACES])[1] if INTERFACES in annotations else ""
    return f"{mistake}; write a list such as {_EXAMPLE}" if mistake else ""


def _read(text: str) -> tuple[list[Any], str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [], f"no JSON ({error})" if isinstance(error, json.JSONDecodeError) else "no JSON"
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in elements(value)):
        return [], "no list of interfaces"
    for each in elements(value):
        for key in ("interfaceName", "network", "interface"):
            if not isinstance(at(each, key) or "", str):
                return [], f"no list of interfaces: {key} is {shorten(at(each, key))}, and no text"
    return [*elements(value)], ""
