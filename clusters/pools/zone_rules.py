"""Warnings for pools in regions or zones that are not listed for their accelerators, or that are not meant for them."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.facts.machine_sizes import tpus
from clusters.facts.regions import regions
from clusters.facts.zones import TABLE, Zones, is_ai_zone, parent_zone, zones_with
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM_POOL


def unlisted_places(
    setting: str, pools: Mapping[str, NodePool], region: str, cluster_zones: Sequence[str]
) -> Iterator[str]:
    """Yields a warning for each pool whose region or zones are not listed for its accelerator; they may be by now."""
    for name, pool in pools.items():
        accelerator, own = pool.accelerator_name, f"{setting}.node_pools.{name}"
        if not accelerator:
            continue
        zones = zones_with(pool.machine_type, accelerator)
        if pool.machine_type in tpus():
            if zones and not zones.has(region):
                yield (
                    f"{own}.machine_type: {pool.machine_type}: {accelerator} is not listed for {region} in {TABLE}; if "
                    "no node comes up, write another region"
                )
        elif accelerator not in regions()[region].accelerators:
            yield (
                f"{own}.accelerator.type: {accelerator} is not listed for {region} in "
                "clusters/facts/regions.csv; if no node comes up, write another region"
            )
        if zones:
            for zone in dict.fromkeys(pool.zones or cluster_zones):
                if not zones.may_have(zone, region):
                    yield _wrong_zone(own, "" if pool.zones else ", of the cluster", zone, accelerator, region, zones)


def misused_ai_zones(setting: str, pools: Mapping[str, NodePool], cluster_zones: Sequence[str]) -> Iterator[str]:
    """Yields a warning for each AI zone in which there would be nodes without accelerators."""
    inherited = [name for name, pool in pools.items() if not pool.zones and not pool.accelerator_name]
    for zone in filter(is_ai_zone, dict.fromkeys(cluster_zones)):
        others = ", ".join([SYSTEM_POOL, *inherited])
        yield (
            f"{setting}.zones: {zone}: an AI zone, which Google advises for accelerators alone, and the nodes of "
            f"{others} would be there; write {parent_zone(zone)} or another, and the AI zone in zones of the pools "
            "that need it"
        )
    for name, pool in pools.items():
        for zone in filter(is_ai_zone, dict.fromkeys(pool.zones)):
            if not pool.accelerator_name:
                yield (
                    f"{setting}.node_pools.{name}.zones: {zone}: an AI zone, which Google advises for accelerators "
                    f"alone, and {pool.machine_type} has none; write {parent_zone(zone)} or another"
                )


def _wrong_zone(own: str, whose: str, zone: str, accelerator: str, region: str, zones: Zones) -> str:
    listed = ", ".join(zones.of(region))
    doubt = "" if zones.sure else ", which is not sure"
    return (
        f"{own}.zones: {zone}{whose}: {accelerator} is not listed for it in {TABLE}{doubt}; if no node comes up, write "
        f"zones: [{listed}], or some of them"
    )
