"""Says where a stack's workloads go and why, from its settings alone: no cloud, no cluster and no state is asked.

    python -m federation.explain --stack prod --without serving-asia

Ends with 0, with 1 where a workload has no place, and with 2 for a mistake.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from clusters.spec import member_labels
from federation.demand import PodDemand, accelerators, demands, pods
from federation.distance import origin_regions
from federation.placement import Decision, Facts, Members, NothingFits, candidates, place, table
from federation.spec import BUCKET, Nearest
from problems import SettingsError, one_of
from settings import Settings, misspelt, parse
from stackfile.lines import Unreadable, read_stack_file

PREFIX = "geo-federation:"


class Mistake(Exception):
    """What was asked for makes no sense; the message says what to write instead."""


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
    parser = argparse.ArgumentParser("python -m federation.explain", description=(__doc__ or "").partition("\n")[0])
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


def read_settings(stack: str) -> Settings:
    """The settings in a stack's file of this folder, without what is encrypted. Raises Mistake or SettingsError."""
    # A stack's full name has its owner and project in front.
    file = Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")
    if not file.exists():
        known = [each.name.split(".")[1] for each in Path().glob("Pulumi.*.yaml")]
        raise Mistake(f"--stack: there is no {file} in this folder; write {one_of(stack, known)}")
    try:
        content = read_stack_file(file)
    except Unreadable as error:
        raise Mistake(str(error)) from None
    config = cast(Any, content).get("config") if isinstance(content, Mapping) else None
    if not isinstance(config, Mapping):
        raise Mistake(f"{file} has no config; write one, as the README shows")
    values = {str(key): value for key, value in cast(Mapping[Any, Any], config).items()}
    raw = {key.removeprefix(PREFIX): _without_secrets(values[key]) for key in values if key.startswith(PREFIX)}
    raw |= dict.fromkeys(misspelt(values, PREFIX.removesuffix(":")), "")
    # Of the project, only whether there is one is looked at.
    return parse({key: value for key, value in raw.items() if value is not None}, Path.cwd(), values.get("gcp:project"))


def _without_secrets(value: Any) -> Any:
    """A setting without what is encrypted; Pulumi keeps maps and lists as they are, or as JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return _open(value)


def _open(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return None if _is_secret(value) else {str(key): _open(each) for key, each in items if not _is_secret(each)}
    return (
        [_open(each) for each in cast(list[Any], value) if not _is_secret(each)] if isinstance(value, list) else value
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and list(cast(Mapping[Any, Any], value)) == ["secure"]


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
