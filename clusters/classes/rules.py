"""What must hold of a cluster's compute classes, where GKE would refuse one or never make a machine for it."""

from collections.abc import Iterator, Mapping

from clusters.classes.auto_provisioning import CPU, MEMORY, AutoProvisioning, amounts, most_of
from clusters.classes.machines import as_pool, nodes_of_slice
from clusters.classes.priority_rules import check_priority
from clusters.classes.spec import OF_GKE, ComputeClass, Priority
from clusters.facts.machine_families import families
from clusters.facts.machine_sizes import size_of
from clusters.facts.machines import TABLE
from clusters.pools.spec import NodePool
from problems import Problem, one_of

DEFAULT = "default"


def check_classes(
    setting: str,
    classes: Mapping[str, ComputeClass],
    pools: Mapping[str, NodePool],
    auto: AutoProvisioning | None,
    region: str,
) -> Iterator[Problem]:
    """Yields what is wrong with well-formed classes of a cluster in a region; `setting` is the cluster's path."""
    for name, each in classes.items():
        where = f"{setting}.compute_classes.{name}"
        yield from _check_name(where, name)
        yield from _check_creation(where, each, auto)
        for number, priority in enumerate(each.priorities):
            path = f"{where}.priorities.{number}"
            if priority in each.priorities[:number]:
                yield Problem(path, None, "the same as one before it; remove it")
            yield from check_priority(path, priority, region)
            yield from _check_pools(path, name, priority, pools)
            if each.create_pools and auto and auto.enabled and not priority.pools:
                yield from _check_limits(path, name, priority, auto, pools)
    for pool, each in pools.items():
        yield from _check_class_of(setting, pool, each.compute_class, classes)


def unsure_classes(setting: str, classes: Mapping[str, ComputeClass]) -> Iterator[str]:
    """Yields a warning for each machine of a priority that no table has."""
    for name, each in classes.items():
        for number, priority in enumerate(each.priorities):
            path = f"{setting}.compute_classes.{name}.priorities.{number}"
            if priority.machine_family and priority.machine_family not in families():
                yield f"{path}.machine_family: {priority.machine_family} is not in clusters/facts/machine_families.csv"
            elif priority.machine_type and size_of(priority.machine_type) is None:
                yield f"{path}.machine_type: {TABLE} and its like do not know {priority.machine_type}"


def _check_name(where: str, name: str) -> Iterator[Problem]:
    if name.startswith(OF_GKE):
        yield Problem(where, name, f"GKE keeps names that begin with {' or '.join(OF_GKE)}; write another name")
    elif name == DEFAULT:
        advice = (
            "GKE would use it for the pods that select no class, those of the system included, and no pod is placed "
            "by it; write another name, which pods select"
        )
        yield Problem(where, name, advice)


def _check_creation(where: str, spec: ComputeClass, auto: AutoProvisioning | None) -> Iterator[Problem]:
    of_machines = [number for number, each in enumerate(spec.priorities) if not each.pools]
    if spec.create_pools and not (auto and auto.enabled):
        advice = "GKE creates no pools here; write auto_provisioning with limits for the cluster, or false"
        yield Problem(f"{where}.create_pools", True, advice)
    if spec.create_pools and not of_machines and spec.when_unsatisfiable == "DoNotScaleUp":
        yield Problem(f"{where}.create_pools", True, "every priority names own pools; write false")
    if not spec.create_pools and of_machines:
        advice = (
            f"false, and priorities {', '.join(map(str, of_machines))} name no pools, so that no machine is ever made "
            "for them; write true, or pools"
        )
        yield Problem(f"{where}.create_pools", None, advice)


def _check_pools(path: str, name: str, priority: Priority, pools: Mapping[str, NodePool]) -> Iterator[Problem]:
    for pool in priority.pools:
        if pool not in pools:
            yield Problem(f"{path}.pools", pool, f"not a node pool of this cluster; write {one_of(pool, pools)}")
        elif pools[pool].compute_class != name:
            has = pools[pool].compute_class or "none"
            yield Problem(f"{path}.pools", pool, f"its compute_class is {has}; write compute_class: {name} there")
        elif priority.pools.count(pool) > 1:
            yield Problem(f"{path}.pools", pool, "named twice; remove one")
            return


def _check_class_of(setting: str, pool: str, name: str, classes: Mapping[str, ComputeClass]) -> Iterator[Problem]:
    where = f"{setting}.node_pools.{pool}.compute_class"
    if name and name not in classes:
        known = one_of(name, classes) if classes else "a class of this cluster's compute_classes"
        yield Problem(where, name, f"not a class of this cluster; write {known}")
    elif name and not any(pool in each.pools for each in classes[name].priorities):
        advice = f"no priority of it names this pool, so that GKE adds no node to it; write pools: [{pool}] there"
        yield Problem(where, name, advice)


def _check_limits(
    path: str, name: str, priority: Priority, auto: AutoProvisioning, pools: Mapping[str, NodePool]
) -> Iterator[Problem]:
    left = most_of(auto.limits, pools)
    needed, slices = amounts(as_pool(name, priority, auto)), nodes_of_slice(priority)
    for resource, amount in needed.items():
        if resource not in auto.limits and resource not in (CPU, MEMORY):
            advice = f"auto_provisioning.limits has no {resource}, so that none is ever made; write its max there"
            yield Problem(path, None, advice)
        elif resource in left and 0 <= left[resource] < amount * slices:
            least = auto.limits[resource].max - left[resource] + amount * slices
            advice = (
                f"needs {amount * slices} of {resource}, and auto_provisioning.limits leaves {left[resource]} beside "
                f"the cluster's own pools; write at least {least} there"
            )
            yield Problem(path, None, advice)
