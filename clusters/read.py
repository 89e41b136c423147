"""Reads the clusters and their network from plain settings."""

from collections.abc import Mapping
from typing import Any

from clusters.addresses import SLOTS
from clusters.existing import ExistingNetwork
from clusters.network_rules import check_network
from clusters.spec import Cluster, check_clusters
from problems import NAME, Problem, SettingsError, check_model, check_models


def read_clusters(
    raw: Mapping[str, Any], project: str, problems: list[Problem]
) -> tuple[dict[str, Cluster], ExistingNetwork | None]:
    """The well-formed clusters and the network that they are in; what is wrong with them is added to `problems`.

    `project` is that of the stack. Raises SettingsError for more clusters than the address plan has room for.
    """
    if isinstance(raw.get("clusters"), Mapping) and len(raw["clusters"]) > SLOTS:
        advice = f"the address plan has room for {SLOTS}; remove some, or make another stack of them"
        raise SettingsError([Problem("clusters", f"{len(raw['clusters'])} clusters", advice)])
    clusters = check_models("clusters", raw.get("clusters") or {}, Cluster, NAME, problems)
    problems.extend(check_clusters(clusters))
    # Pulumi.yaml has an empty one for stacks that write none.
    given = raw.get("network") or None
    network = None if given is None else check_model("network", given, ExistingNetwork, problems)
    if network or given is None:
        problems.extend(check_network(network, clusters, project))
    return clusters, network
