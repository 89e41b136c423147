"""How many of each accelerator a stack's pools can grow to, and which quotas of the project are too small for it."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clusters.facts.machine_sizes import tpus
from clusters.facts.quotas import ALL_GPUS, TABLE, Kind, Quota, quota_of
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

UNLIMITED = sys.maxsize
"""The limit of a quota without one, which the Cloud Quotas API writes as -1."""


@dataclass(frozen=True)
class Limit:
    """One limit of a quota: for which dimensions, such as region, where it applies, and how much it is."""

    dimensions: Mapping[str, str]
    locations: Sequence[str]
    value: int


Limits = Mapping[str, Sequence[Limit]]
"""The limits of each quota by its id; one that could not be read is not in it."""


@dataclass
class Need:
    """What all pools of a region need of an accelerator at their largest: how many, and by which settings."""

    accelerator: str
    region: str
    """Empty for all regions together."""
    counts: dict[Kind, int] = field(default_factory=dict[Kind, int])
    settings: dict[Kind, list[str]] = field(default_factory=dict[Kind, list[str]])

    def add(self, kind: Kind, count: int, setting: str) -> None:
        """Adds what one pool needs."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.settings.setdefault(kind, []).append(setting)

    @property
    def quotas(self) -> dict[Kind, Quota]:
        """The quotas that it may count against, as far as they are known."""
        kinds: list[Kind] = ["standard", *(["preemptible"] if "preemptible" in self.counts else [])]
        return {kind: quota for kind in kinds if (quota := quota_of(self.accelerator, kind))}


def needs_of(clusters: Mapping[str, Cluster]) -> list[Need]:
    """What the pools of all clusters can grow to, by region and accelerator, and all their GPUs together.

    Machines of a reservation are left out: they count when they are reserved (from memory).
    """
    found: dict[tuple[str, str], Need] = {}
    every = Need(ALL_GPUS, "")
    for name, cluster in clusters.items():
        for pool_name, pool in cluster.node_pools.items():
            accelerator, kind = pool.accelerator_name, _kind(pool)
            if not accelerator or kind is None:
                continue
            setting = f"clusters.{name}.node_pools.{pool_name}.max_nodes"
            count = pool.max_nodes * pool.accelerator_count
            need = found.setdefault((cluster.region, accelerator), Need(accelerator, cluster.region))
            need.add(kind, count, setting)
            if kind == "standard" and pool.machine_type not in tpus():
                every.add(kind, count, setting)
    return [need for need in (*found.values(), every) if need.counts and need.quotas]


def limit_in(limits: Sequence[Limit], region: str, dimensions: Mapping[str, str]) -> int | None:
    """The limit that applies in a region, of those of a quota; None where none does.

    A limit without a dimension applies to all its values, but for those that have a limit of their own. Source: the
    reference of the Cloud Quotas API, DimensionsInfo.
    """
    wanted = {**dimensions, **({"region": region} if region else {})}
    able = [
        each
        for each in limits
        if all(wanted.get(name) == value for name, value in each.dimensions.items())
        and (not region or not each.locations or region in each.locations)
    ]
    # Of one for the region and one for the family, the latter.
    best = max(able, key=lambda each: (len(each.dimensions), "region" not in each.dimensions), default=None)
    return best.value if best else None


def too_small(needs: Iterable[Need], limits: Limits) -> Iterator[str]:
    """Yields a warning for each quota that is smaller than what the pools can grow to.

    Where a project has no preemptible quota, spot and flex-start machines count against the standard one. Source:
    Google's pages on provisioning models and on preemptible quotas.
    """
    for need in needs:
        quotas = need.quotas
        known = {kind: _limit(need, quotas, kind, limits) for kind in quotas}
        standard, preemptible = known.get("standard"), known.get("preemptible")
        counts = need.counts
        if "preemptible" in counts and preemptible == 0:
            both = counts["preemptible"] + counts.get("standard", 0)
            if standard is None or both > standard:
                yield _text(need, "preemptible", quotas, 0, standard)
        elif "preemptible" in counts and preemptible is not None and counts["preemptible"] > preemptible:
            yield _text(need, "preemptible", quotas, preemptible)
        if "standard" in counts and standard is not None and counts["standard"] > standard:
            yield _text(need, "standard", quotas, standard)


def not_listed(needs: Iterable[Need], limits: Limits) -> Iterator[str]:
    """Yields which quotas were read, but have no limit for a region."""
    for need in needs:
        for kind, quota in need.quotas.items():
            if kind in need.counts and quota.id in limits and _limit(need, need.quotas, kind, limits) is None:
                yield _name(need, quota)


def _kind(pool: NodePool) -> Kind | None:
    """Which kind of quota a pool's machines count against; None for those of a reservation."""
    if pool.reservation:
        return None
    return "preemptible" if pool.spot or pool.flex_start or pool.queued else "standard"


def _limit(need: Need, quotas: Mapping[Kind, Quota], kind: Kind, limits: Limits) -> int | None:
    quota = quotas[kind]
    return limit_in(limits[quota.id], need.region, quota.dimensions) if quota.id in limits else None


def _name(need: Need, quota: Quota) -> str:
    dimensions = "".join(f" ({name}={value})" for name, value in quota.dimensions.items())
    return f"{quota.id}{dimensions}" + (f" of {need.region}" if need.region else "")


def _text(need: Need, kind: Kind, quotas: Mapping[Kind, Quota], limit: int, instead: int | None = None) -> str:
    count, quota = need.counts[kind], quotas[kind]
    what = "GPUs in all regions" if need.accelerator == ALL_GPUS else f"{need.accelerator} in {need.region}"
    how = " on spot, flex-start or queued machines" if kind == "preemptible" else ""
    other = f", and {_name(need, quotas['standard'])}, which counts then, is {instead}" if instead is not None else ""
    doubt = "" if quota.sure else f" ({TABLE} is not sure of this quota)"
    return (
        f"{', '.join(need.settings[kind])}: the pools can grow to {count} {what}{how}, and the quota "
        f"{_name(need, quota)} is {limit}{other}; request {count} of it, or write fewer nodes{doubt}"
    )
