"""Where a stack's workloads are placed and why, from its settings alone: no cloud, cluster or state is read."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from clusters.nodes.nodes import GPU, TPU, Nodes, nodes_of
from clusters.spec import Cluster, member_labels
from geofed.mistake import Mistake
from geofed.stack import read_settings
from placement.api.pod_kinds import Run
from placement.fit.node_labels import HOSTNAME
from placement.fit.packing import fitting, without
from placement.fit.space import measured, spaces_of
from placement.pods.runs import run_of
from placement.policies.decision import Decision, Facts, Members, numbered, table
from placement.policies.distance import origin_regions
from placement.policies.place import candidates
from placement.spec import SpareCapacity, bucket_of
from placement.stack import Placed, by_settings, empty, place_more
from problems import one_of
from settings import Settings

Output = Literal["table", "json", "markdown"]


@dataclass(frozen=True)
class Answer:
    """Where a workload is placed; `problem` says why it has no place, and is empty where it has one.

    `pods` says on which pools of each cluster that is taken, such as 2 on l4.
    """

    decisions: Sequence[Decision]
    problem: str = ""
    pods: Mapping[str, str] = field(default_factory=dict[str, str])


def explain(
    stack: str,
    workload: str | None = None,
    without: Sequence[str] = (),
    bucket: Sequence[str] = (),
    free: Sequence[str] = (),
) -> dict[str, Answer]:
    """The answer for each workload of a stack, or for one alone, as if the clusters `without` did not exist.

    `bucket` says where buckets' data is, as gs://NAME=LOCATION, and `free` how many accelerators are free, as
    CLUSTER=N. Raises Mistake or SettingsError.
    """
    settings = read_settings(stack)
    _check_names("--without", without, settings.members)
    if workload is not None:
        _check_names("--workload", [workload], settings.workloads)
    placements = {name: each.placement for name, each in settings.workloads.items()}
    named = {bucket_of(each) for each in placements.values()} - {""}
    buckets = _pairs("--bucket", bucket)
    _check_names("--bucket", buckets, named)
    numbers = {name: _number(text) for name, text in _pairs("--free", free).items()}
    _check_names("--free", numbers, settings.members)
    try:
        origins = {name: origin_regions(location) for name, location in buckets.items()}
    except ValueError as error:
        raise Mistake(f"--bucket: {error}") from None

    left = {name: each for name, each in settings.members.items() if name not in without}
    if not left:
        raise Mistake("--without: no cluster is left; leave at least one")
    labels = {name: member_labels(each) for name, each in left.items()}
    placed = _placed(settings, left, labels, origins, numbers)
    return {name: _answer(name, settings, placed, labels) for name in settings.workloads if workload in (None, name)}


def shown(answers: Mapping[str, Answer], output: Output) -> str:
    """The answers as text."""
    if output == "json":
        return json.dumps(_plain(answers), indent=2)
    show = _markdown if output == "markdown" else _table
    return "\n\n".join(show(name, answer) for name, answer in answers.items()) or "no workloads"


def _placed(
    settings: Settings,
    clusters: Mapping[str, Cluster],
    labels: Members,
    origins: Mapping[str, tuple[str, ...]],
    free: Mapping[str, int],
) -> Placed:
    """All workloads of a stack, placed in the order of a run."""
    workloads = settings.workloads
    by_policy = {name for name, each in workloads.items() if isinstance(each.placement, SpareCapacity)}
    first = by_settings(workloads)
    near = {*workloads} - by_policy - {*first}
    placed = place_more(empty(spaces_of(clusters)), first, workloads, settings.manifests, labels)
    placed = place_more(placed, near, workloads, settings.manifests, labels, origins)
    with_free = {
        name: measured(each, _free(clusters[name], free[name])) if name in free else each
        for name, each in placed.space.items()
    }
    return place_more(replace(placed, space=with_free), by_policy, workloads, settings.manifests, labels)


def _answer(name: str, settings: Settings, placed: Placed, members: Members) -> Answer:
    if name in placed.problems:
        return Answer([], placed.problems[name])
    workload, facts = settings.workloads[name], placed.facts[name]
    run = run_of(settings.manifests[name], workload.run)
    decisions = placed.workloads[name].decisions
    pods = {each.cluster: _pools(each, facts, run) for each in decisions if each.taken}
    return Answer(decisions, "" if candidates(workload.placement, members, facts) else "no cluster fits", pods)


def _pools(decision: Decision, facts: Facts, run: Run) -> str:
    """On which pools a member's pods would run, such as 2 on l4."""
    found, left = Counter[str](), facts.space[decision.cluster].left
    for gang, count in numbered(facts, decision.shares, run):
        # Counted in this order, in which the policy need not have counted.
        left, pods = without(left, gang, fitting(left, gang, count))
        found.update(pods)
    return ", ".join(f"{count} on {pool}" for pool, count in sorted(found.items()))


def _free(cluster: Cluster, accelerators: int) -> list[Nodes]:
    """Nodes with so many free accelerators: those of the cluster's pools, in their order, the last one in part."""
    nodes: list[Nodes] = []
    for pool in nodes_of(cluster):
        resource = next((each for each in (GPU, TPU) if pool.allocatable.get(each)), None)
        for _ in range(pool.most if resource else 0):
            assert resource
            here = min(accelerators, pool.allocatable[resource])
            if here:
                labels = {**pool.labels, HOSTNAME: f"{pool.pool}-{len(nodes)}"}
                nodes.append(replace(pool, labels=labels, most=1, allocatable={**pool.allocatable, resource: here}))
            accelerators -= here
    return nodes


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Mistake(f"{option} {text}: write a name, an equals sign and a value")
        pairs[name] = value
    return pairs


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Mistake(f"--free {text}: write a whole number from 0 up, such as serving=4")
    return int(text)


def _check_names(option: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = sorted(known)
    for name in names:
        if name not in known:
            raise Mistake(f"{option} {name}: not in the settings of this stack; write {one_of(name, known)}")


def _table(name: str, answer: Answer) -> str:
    lines = table(answer.decisions, answer.pods) if answer.decisions else []
    return "\n  ".join([name, *lines, *([answer.problem] if answer.problem else [])])


def _markdown(name: str, answer: Answer) -> str:
    rows = [("cluster", "share", "pods", "reason"), ("---", "--:", "---", "---")]
    # No reason holds a bar, which would end its cell: settings with one are refused.
    pods = answer.pods
    rows += [(each.cluster, str(each.share), pods.get(each.cluster, ""), each.reason) for each in answer.decisions]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows) if answer.decisions else ""
    return "\n\n".join(part for part in (f"**{name}**", table, answer.problem) if part)


def _plain(answers: Mapping[str, Answer]) -> dict[str, Any]:
    """The decisions in the shape of the stack's output, and beside them the problems."""
    return {
        "placements": {
            name: [{"cluster": each.cluster, "share": each.share, "reason": each.reason} for each in answer.decisions]
            for name, answer in answers.items()
        },
        "problems": {name: answer.problem for name, answer in answers.items() if answer.problem},
    }
