"""Where a stack's workloads are placed and why, from its settings alone: no cloud, cluster or state is read."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from clusters.spec import member_labels
from geofed.mistake import Mistake
from geofed.stack import read_settings
from placement.autoscaled import place_objects
from placement.copies import facts_of
from placement.demand import UnitDemand, demands, whole_demand
from placement.distance import origin_regions
from placement.policies import Decision, Members, NothingFits, candidates, table
from placement.runs import run_of
from placement.spec import BUCKET, Nearest
from problems import one_of
from settings import Settings

Output = Literal["table", "json", "markdown"]


@dataclass(frozen=True)
class Answer:
    """Where a workload is placed; `problem` says why it has no place, and is empty where it has one."""

    decisions: Sequence[Decision]
    problem: str = ""


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
    named = {each.to for each in placements.values() if isinstance(each, Nearest) and each.to.startswith(BUCKET)}
    buckets = _pairs("--bucket", bucket)
    _check_names("--bucket", buckets, named)
    numbers = {name: _number(text) for name, text in _pairs("--free", free).items()}
    _check_names("--free", numbers, settings.members)
    try:
        origins = {name: origin_regions(location) for name, location in buckets.items()}
    except ValueError as error:
        raise Mistake(f"--bucket: {error}") from None

    left = {name: member_labels(each) for name, each in settings.members.items() if name not in without}
    if not left:
        raise Mistake("--without: no cluster is left; leave at least one")
    return {
        name: _place(settings, name, left, origins, numbers or None)
        for name in settings.workloads
        if workload in (None, name)
    }


def shown(answers: Mapping[str, Answer], output: Output) -> str:
    """The answers as text."""
    if output == "json":
        return json.dumps(_plain(answers), indent=2)
    show = _markdown if output == "markdown" else _table
    return "\n\n".join(show(name, answer) for name, answer in answers.items()) or "no workloads"


def _place(
    settings: Settings,
    name: str,
    members: Members,
    origins: Mapping[str, tuple[str, ...]],
    free: Mapping[str, int] | None,
) -> Answer:
    workload, manifests = settings.workloads[name], settings.manifests[name]
    placement, run = workload.placement, run_of(manifests, workload.run)
    requested = demands(manifests) if run == "divided" else [whole_demand(manifests)]
    facts = replace(
        facts_of(
            manifests, origins.get(placement.to, ()) if isinstance(placement, Nearest) else (), chosen=workload.run
        ),
        free={member: [_fitting(number, each) for each in requested] for member, number in free.items()}
        if free
        else None,
    )
    try:
        decisions = place_objects(workload, members, manifests, facts)
    except NothingFits as error:
        return Answer([], str(error))
    return Answer(decisions, "" if candidates(placement, members, facts) else "no cluster fits")


def _fitting(free: int, unit: UnitDemand) -> int:
    needed = Counter[str]()
    for pod, count in unit.pods:
        needed.update({resource: amount * count for resource, amount in pod.resources.items()})
    return free // max(needed.values(), default=1)


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
    lines = table(answer.decisions) if answer.decisions else []
    return "\n  ".join([name, *lines, *([answer.problem] if answer.problem else [])])


def _markdown(name: str, answer: Answer) -> str:
    rows = [("cluster", "share", "reason"), ("---", "--:", "---")]
    # No reason holds a bar, which would end its cell: settings with one are refused.
    rows += [(each.cluster, str(each.share), each.reason) for each in answer.decisions]
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
