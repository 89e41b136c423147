"""Says where a stack's workloads go and why, from its settings alone: no cloud, no cluster and no state is asked.

    python -m geofed.explain --stack prod --without serving-asia

Ends with 0, with 1 where a workload has no place, and with 2 for a mistake.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusters.spec import member_labels
from geofed.stack import Mistake, read_settings
from placement.demand import PodDemand, accelerators, demands, pods
from placement.distance import origin_regions
from placement.policies import Decision, Facts, Members, NothingFits, candidates, place, table
from placement.spec import BUCKET, Nearest
from problems import SettingsError, one_of
from settings import Settings


@dataclass(frozen=True)
class Answer:
    """Where a workload goes; `problem` says why it has no place, and is empty where it has one."""

    decisions: Sequence[Decision]
    problem: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers on standard output; a mistake is one message on standard error."""
    asked = _arguments(arguments)
    try:
        answers = _explain(asked)
    except (Mistake, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.output == "json":
        print(json.dumps(_plain(answers), indent=2))
    else:
        tell = _markdown if asked.output == "markdown" else _table
        print("\n\n".join(tell(name, answer) for name, answer in answers.items()) or "no workloads")
    return 1 if any(answer.problem for answer in answers.values()) else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m geofed.explain", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", required=True, help="the stack: Pulumi.STACK.yaml of this folder is read")
    parser.add_argument("--workload", help="this workload alone")
    several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
    parser.add_argument("--without", **several, metavar="CLUSTER", help="as if these clusters were gone")
    parser.add_argument("--bucket", **several, metavar="gs://NAME=LOCATION", help="where a bucket's data is")
    parser.add_argument("--free", **several, metavar="CLUSTER=N", help="how many accelerators are free")
    parser.add_argument("--output", choices=("table", "json", "markdown"), default="table", help="how to tell it")
    return parser.parse_args(arguments)


def _explain(asked: argparse.Namespace) -> dict[str, Answer]:
    settings = read_settings(asked.stack)
    _check_names("--without", asked.without, settings.members)
    if asked.workload is not None:
        _check_names("--workload", [asked.workload], settings.workloads)
    placements = {name: workload.placement for name, workload in settings.workloads.items()}
    named = {each.to for each in placements.values() if isinstance(each, Nearest) and each.to.startswith(BUCKET)}
    buckets = _pairs("--bucket", asked.bucket)
    _check_names("--bucket", buckets, named)
    free = {name: _number(text) for name, text in _pairs("--free", asked.free).items()}
    _check_names("--free", free, settings.members)
    try:
        origins = {bucket: origin_regions(location) for bucket, location in buckets.items()}
    except ValueError as error:
        raise Mistake(f"--bucket: {error}") from None

    left = {name: member_labels(each) for name, each in settings.members.items() if name not in asked.without}
    if not left:
        raise Mistake("--without: no cluster is left; leave at least one")
    return {
        name: _place(settings, name, left, origins, free or None)
        for name in settings.workloads
        if asked.workload in (None, name)
    }


def _place(
    settings: Settings,
    name: str,
    members: Members,
    origins: Mapping[str, tuple[str, ...]],
    free: Mapping[str, int] | None,
) -> Answer:
    placement, manifests = settings.workloads[name].placement, settings.manifests[name]
    each_asks = demands(manifests)
    facts = Facts(
        accelerators(manifests),
        origins.get(placement.to, ()) if isinstance(placement, Nearest) else (),
        {member: [_fitting(number, pod) for pod in each_asks] for member, number in free.items()} if free else None,
        tuple(str(pod) for pod in each_asks),
    )
    try:
        decisions = place(placement, members, [pods(each) for each in manifests if each.type.counted], facts)
    except NothingFits as error:
        return Answer([], str(error))
    return Answer(decisions, "" if candidates(placement, members, facts) else "no cluster fits")


def _fitting(free: int, pod: PodDemand) -> int:
    return free // max(pod.resources.values(), default=1)


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


if __name__ == "__main__":
    sys.exit(main())
