"""Firewall rules, which are checked and recorded: traffic on this machine passes none."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import ClassVar

from local.gcp.network import NETWORKS, missing_network
from local.gcp.resource import (
    DASHED,
    Choices,
    Cloud,
    Kind,
    Wrong,
    find,
    given,
    invalid,
    is_name,
    lacking,
    project_of,
    value,
    values,
)
from local.wire import Properties

_WITH_PORTS = ("tcp", "udp", "sctp")
_PROTOCOLS = (*_WITH_PORTS, "icmp", "esp", "ah", "ipip", "all")
_SOURCES = ("sourceRanges", "sourceTags", "sourceServiceAccounts")


class Firewall(Kind):
    """A rule of a network's firewall."""

    token = "gcp:compute/firewall:Firewall"
    fixed = frozenset({"name", "network", "project", "direction"})
    needed = ("network",)
    choices: ClassVar[Choices] = {
        "direction": ("INGRESS", "EGRESS"),
        "logConfig.metadata": ("EXCLUDE_ALL_METADATA", "INCLUDE_ALL_METADATA"),
    }

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/global/firewalls/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        both = all(given(inputs, each) for each in ("allows[]", "denies[]"))
        if both or all(lacking(inputs, each) for each in ("allows[]", "denies[]")):
            yield Wrong("allows", "exactly one of allows and denies must be specified")
        priority = value(inputs, "priority", 1000)
        if not 0 <= priority <= 65535:
            yield Wrong("priority", invalid("priority", priority, "It must be from 0 to 65535"))
        yield from _sides(inputs)
        for field in ("allows", "denies"):
            for rule in values(inputs, f"{field}[]"):
                yield from _wrong_rule(field, rule)
        for field in ("sourceTags", "targetTags"):
            for tag in values(inputs, f"{field}[]"):
                if not is_name(tag, DASHED, 63):
                    yield Wrong(field, invalid(field, tag, f"Must be a match of regex '{DASHED}'"))
        for field in ("sourceRanges", "destinationRanges"):
            for text in values(inputs, f"{field}[]"):
                try:
                    ip_network(text)
                except ValueError as error:
                    yield Wrong(field, invalid(field, text, f"Must be a valid CIDR address range: {error}"))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from missing_network(cloud, inputs)
        network = find(cloud, NETWORKS, inputs["network"])
        if network and value(network[1], "networkProfile"):
            why = f"Firewall rules are not supported in network {network[0]}, which has a network profile"
            yield Wrong("network", f"Error 400: {why}")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        return {"project": project_of(cloud, inputs), "selfLink": link}


def _sides(inputs: Properties) -> Iterator[Wrong]:
    sources = [each for each in _SOURCES if given(inputs, f"{each}[]")]
    direction = value(inputs, "direction", "INGRESS" if lacking(inputs, "direction") else None)
    if direction == "INGRESS":
        if all(lacking(inputs, f"{each}[]") for each in _SOURCES):
            yield Wrong("sourceRanges", f"one of {', '.join(_SOURCES)} must be defined for a rule of INGRESS")
    elif direction == "EGRESS" and sources:
        yield Wrong(sources[0], f"{sources[0]} cannot be given for a rule of EGRESS: use destinationRanges")
    by_account = given(inputs, "sourceServiceAccounts[]") or given(inputs, "targetServiceAccounts[]")
    if by_account and (given(inputs, "sourceTags[]") or given(inputs, "targetTags[]")):
        yield Wrong("targetTags", "tags and service accounts exclude each other in one rule")


def _wrong_rule(field: str, rule: Properties) -> Iterator[Wrong]:
    protocol = str(value(rule, "protocol", "")).lower()
    number = protocol.isdigit() and int(protocol) <= 255
    if given(rule, "protocol") and not number and protocol and protocol not in _PROTOCOLS:
        why = f"Must be a number or one of {', '.join(_PROTOCOLS)}"
        yield Wrong(field, invalid(f"{field}.protocol", protocol, why))
    ports = [str(each) for each in values(rule, "ports[]")]
    if ports and protocol and protocol not in (*_WITH_PORTS, "6", "17", "132"):
        yield Wrong(field, f"Ports may only be specified on rules whose protocol is one of {', '.join(_WITH_PORTS)}")
    for port in ports:
        ends = [int(each) for each in port.split("-")] if re.fullmatch(r"\d{1,5}(-\d{1,5})?", port) else [65536]
        if ends != sorted(ends) or ends[-1] > 65535:
            yield Wrong(field, invalid(f"{field}.ports", port, "Must be a port, or two as in 8000-8080, up to 65535"))
