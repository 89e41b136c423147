"""What each member has in its base, in the order of its parts, and what must hold between the objects of all parts."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from federation.base_sources import READER, Manifests, load, load_text, named, read_file, served, twice
from federation.base_spec import OCI, URL, BaseSource, OperatorSettings, release_name, selected_members
from federation.operators import OPERATORS
from federation.spec import Federation
from placement.api.kinds import NAMESPACE
from placement.api.lookup import at, elements
from placement.manifests.documents import ManifestError
from placement.manifests.manifest import Manifest
from placement.workload import Workload
from problems import Problem, SettingsError, one_of


@dataclass(frozen=True)
class Release:
    """A release of a Helm chart; without `version`, the chart is a folder."""

    chart: str
    name: str
    namespace: str
    repo: str = ""
    version: str = ""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Part:
    """An operator, or an entry of the base, in some members: manifests, which are None before they are loaded, or a
    chart.
    """

    name: str
    setting: str
    members: tuple[str, ...]
    where: str = ""
    manifests: Manifests | None = None
    release: Release | None = None
    operator: str = ""
    queues: bool = False


@dataclass(frozen=True)
class Base:
    """The parts of the base: operators first, then the entries as they are listed."""

    parts: tuple[Part, ...] = ()

    def of(self, member: str) -> list[Part]:
        """The parts that a member has."""
        return [part for part in self.parts if member in part.members]

    def types(self, members: Sequence[str]) -> dict[str, Mapping[str, Any] | None]:
        """The types that all of these members have from it, with the specs of their CRDs; None of a chart's."""
        found: dict[str, Mapping[str, Any] | None] = {}
        for part in self.parts:
            if set(part.members) >= set(members):
                known = OPERATORS[part.operator].types if part.operator else ()
                found |= dict.fromkeys(known) | dict(part.manifests.definitions if part.manifests else {})
        return found

    @property
    def has_charts(self) -> bool:
        """Whether some of it is not known before it is applied."""
        return any(part.release for part in self.parts)


def plan(
    folder: Path, federation: Federation, members: Mapping[str, Mapping[str, str]], problems: list[Problem]
) -> Base:
    """The base of members with these labels. Files are read from `folder`, and nothing is loaded yet.

    What is wrong is added to `problems`.
    """
    everywhere = tuple(sorted(members))
    operators = [_operator(name, each, everywhere) for name, each in federation.operators.items() if name in OPERATORS]
    # One that intercepts what others create comes last.
    operators.sort(key=lambda part: (OPERATORS[part.operator].last, part.name))
    entries = [
        _entry(number, each, tuple(selected_members(each, members))) for number, each in enumerate(federation.base)
    ]
    parts = [_read(folder, part, problems) for part in [*operators, *entries]]
    base = Base(tuple(part for part in parts if part))
    problems.extend(check_objects_of(base, federation))
    return base


def loaded(
    base: Base,
    federation: Federation,
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
) -> Base:
    """The base with all its manifests, and with charts that exist, as far as that is known. Raises SettingsError."""
    problems: list[Problem] = []

    def complete(part: Part) -> Part:
        try:
            if part.release:
                _check_chart(part.release)
            return part if part.manifests or part.release else replace(part, manifests=load(part.where))
        except ManifestError as error:
            problems.extend(Problem(part.setting, _value(part), text) for text in error.problems)
            return part

    with ThreadPoolExecutor() as pool:
        found = Base(tuple(pool.map(complete, base.parts)))
    problems.sort(key=lambda each: each.setting)
    problems = problems or [*check_objects_of(found, federation), *check_apart(found, workloads, manifests)]
    if problems:
        raise SettingsError(problems)
    return found


def check_objects_of(base: Base, federation: Federation) -> Iterator[Problem]:
    """Yields what is wrong with the objects of the base, as far as they are read."""
    known = federation.known()
    for part in base.parts:
        if part.operator and part.manifests:
            for name in OPERATORS[part.operator].types:
                target = known[name]
                if name not in part.manifests.definitions:
                    advice = f"has no CustomResourceDefinition {name}; write manifests of {part.operator}"
                    yield Problem(part.setting, part.where, advice)
                elif not {target.version, *target.also} & {*served(part.manifests, name)}:
                    versions = one_of("", served(part.manifests, name))
                    advice = f"serves no {target.version} of {name}, which KubeFed federates; write another release, or"
                    yield Problem(part.setting, part.where, f"{advice} {versions} in federation.custom_types")
    reported: set[tuple[str, str]] = set()
    for member in sorted({member for part in base.parts for member in part.members}):
        sources = [(part.setting, part.manifests) for part in base.of(member) if part.manifests]
        for setting, what, other in twice(sources):
            if (setting, what) not in reported:
                reported.add((setting, what))
                yield Problem(setting, what, f"{other} has this object, too; remove one of them")


def check_apart(
    base: Base, workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]
) -> Iterator[Problem]:
    """Yields every object that a workload and the base have both, since each would overwrite and remove the other's."""
    owners = {("", "Namespace", "", NAMESPACE): "KubeFed"}
    for name, objects in manifests.items():
        namespace = workloads[name].namespace
        owners.setdefault(("", "Namespace", "", namespace), f"workloads.{name}")
        for each in objects:
            own = namespace if each.type.namespaced else ""
            owners.setdefault((each.type.group, each.type.kind, own, each.name), f"workloads.{name}")
    for part in base.parts:
        namespaces = [("", "Namespace", "", part.release.namespace)] if part.release else []
        for key in (*namespaces, *(part.manifests.objects if part.manifests else ())):
            if key in owners:
                yield Problem(part.setting, named(key), f"{owners[key]} has this object, too; rename one of them")


def _operator(name: str, settings: OperatorSettings, members: tuple[str, ...]) -> Part:
    known, setting = OPERATORS[name], f"federation.operators.{name}"
    part = Part(name, setting, members, operator=name, queues=settings.queues)
    if settings.manifests:
        return replace(part, where=settings.manifests)
    if known.chart is None:
        return replace(part, where=known.manifests.replace("VERSION", settings.version))
    chart = known.chart
    return replace(
        part,
        release=Release(
            chart.name,
            release_name(chart.name),
            chart.namespace,
            chart.repo,
            settings.version.removeprefix("v"),
            chart.values,
        ),
    )


def _entry(number: int, source: BaseSource, members: tuple[str, ...]) -> Part:
    setting = f"federation.base.{number}"
    if source.manifests:
        return Part(source.manifests, f"{setting}.manifests", members, source.manifests)
    chart, namespace = source.chart or "", source.namespace or ""
    name = release_name(chart)
    release = Release(chart, name, namespace, source.repo or "", source.version or "", source.values)
    return Part(f"{namespace}/{name}", f"{setting}.chart", members, release=release)


def _read(folder: Path, part: Part, problems: list[Problem]) -> Part | None:
    """The part with its manifests, if they are in a file; None where that is wrong."""
    try:
        if part.where and not part.where.startswith(URL):
            return replace(part, manifests=read_file(folder, part.where))
        in_folder = part.release and not part.release.repo and not part.release.chart.startswith(OCI)
        if in_folder and not (folder / _value(part) / "Chart.yaml").is_file():
            raise ManifestError(["no folder with a Chart.yaml; write the path of one"])
    except ManifestError as error:
        problems.extend(Problem(part.setting, _value(part), text) for text in error.problems)
        return None
    return part


def _value(part: Part) -> str:
    return part.release.chart if part.release else part.where


def _check_chart(release: Release) -> None:
    """Raises ManifestError where a repository has no such chart, or not in that version.

    What a registry has is not asked, since that often takes credentials which Helm finds and this program does not.
    """
    if not release.repo:
        return
    text = load_text(f"{release.repo.rstrip('/')}/index.yaml")
    try:
        index: Any = yaml.load(text, Loader=READER)
    except yaml.YAMLError:
        raise ManifestError([f"{release.repo} has no index of charts; write the address of a repository"]) from None
    charts = at(index, "entries")
    versions = [str(at(each, "version")) for each in elements(at(charts, release.name))]
    if not versions:
        raise ManifestError([f"not in {release.repo}; write {one_of(release.name, charts or [])}"])
    if release.version not in versions and f"v{release.version}" not in versions:
        others = one_of(release.version, versions)
        raise ManifestError([f"no version {release.version} in {release.repo}; write {others}"])
