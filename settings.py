"""A stack's settings: every check that needs no cloud, all reported at once before anything is created."""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, cast

import pulumi
from pulumi.runtime import get_config_env
from pulumi.runtime.config import CONFIG, is_config_secret
from pydantic import Field

from clusters.existing import ExistingNetwork
from clusters.network_rules import doubtful_ranges
from clusters.read import read_clusters
from clusters.spec import Cluster, member_labels, warnings
from federation.admission import has_policies
from federation.admission_needs import check_retained, check_written
from federation.base_plan import Base, check_apart, loaded, plan
from federation.base_spec import check_base
from federation.bucket_access import access_of, account_email, account_id, check_buckets, with_identity
from federation.exports import check_exports
from federation.network_policies import check_openings, network_policies
from federation.spec import Federation, check_federation, warnings_of_types
from placement.api.kinds import TargetType
from placement.autoscaling.autoscaler_rules import check_autoscalers, notes_on
from placement.autoscaling.autoscalers import with_minima
from placement.checks import check_placement, check_room
from placement.fit.space import spaces_of
from placement.manifests.documents import ManifestError
from placement.manifests.manifest import Manifest, read_manifests
from placement.overrides import check_overrides
from placement.pods.pod_selectors import with_pod_labels
from placement.policies.candidates import candidates
from placement.stack import Placed, by_settings, empty, place_more
from placement.workload import Workload, check_objects, check_workload
from problems import DNS_LABEL, NAME, Model, Problem, SettingsError, check_model, check_models, depth, one_line, one_of
from stack_file import DEPTH, locate, misspelt, plain_value


class Stack(Model):
    """This project's settings in a stack's file; `parse` checks them part by part."""

    clusters: dict[Annotated[str, Field(pattern=NAME)], Cluster] = Field(min_length=1)
    """a map of names to clusters

    Each is a GKE cluster, and a member of the federation under the same name.
    """
    federation: Federation
    """the host and the types of the federation

    A stack has one, with all its clusters.
    """
    workloads: dict[Annotated[str, Field(pattern=DNS_LABEL)], Workload] = Field(default_factory=dict[str, Workload])
    """a map of names to workloads

    Each is a file of Kubernetes objects that are placed together.
    """
    network: ExistingNetwork | None = None
    """vpc and peered_ranges of an existing network

    Left out, the program makes a network. With it, each cluster names its `subnet`.
    """


SECTIONS = tuple(Stack.model_fields)


@dataclass(frozen=True)
class Settings:
    """A stack's settings, checked, with the objects of each workload's manifests."""

    clusters: Mapping[str, Cluster]
    federation: Federation
    workloads: Mapping[str, Workload]
    manifests: Mapping[str, Sequence[Manifest]]
    base: Base = field(default_factory=Base)
    """What members have before any type is enabled; manifests at an address are in it once `load` has loaded them."""
    network: ExistingNetwork | None = None
    """The network that all clusters are in, where the program makes none."""
    notes: Sequence[str] = ()
    """Which parts of the manifests are not used as they are written: a line for each workload and reason."""

    @property
    def members(self) -> dict[str, Cluster]:
        """The clusters of the federation."""
        return {name: cluster for name, cluster in self.clusters.items() if cluster.member}

    @property
    def left_alone(self) -> dict[str, dict[TargetType, list[str]]]:
        """What KubeFed leaves alone in each member, by admission policies: empty where its Kubernetes has none."""
        own = self.federation.left_alone()
        return {name: own if has_policies(cluster.kubernetes) else {} for name, cluster in self.members.items()}

    @functools.cached_property
    def decided(self) -> Placed:
        """The workloads that the settings alone place, and what they leave to others."""
        first, labels = empty(spaces_of(self.members)), _labels(self.clusters)
        return place_more(first, by_settings(self.workloads), self.workloads, self.manifests, labels)


def load() -> Settings:
    """Reads the settings of the running stack.

    Raises pulumi.RunError, which ends the run with its message and no stack trace.
    """
    prefix, folder = f"{pulumi.get_project()}:", Path.cwd()
    every = {*CONFIG.get(), *get_config_env()}
    keys = [key.removeprefix(prefix) for key in every if key.startswith(prefix)]
    config = pulumi.Config()
    try:
        raw = {key: plain_value(config.get(key)) for key in keys} | dict.fromkeys(misspelt(every, pulumi.get_project()))
        project = pulumi.Config("gcp").get("project")
        settings = _with_identities(parse(raw, folder, project), project or "")
        base = loaded(settings.base, settings.federation, settings.workloads, settings.manifests)
    except SettingsError as error:
        secret = [key for key in keys if is_config_secret(prefix + key)]
        problems = [_without_secret(each, secret) for each in error.problems]
        raise pulumi.RunError(str(SettingsError(locate(problems, folder, pulumi.get_stack(), prefix)))) from None
    for text in settings.notes:
        pulumi.log.info(text)
    doubts = doubtful_ranges(settings.network, settings.clusters, project or "")
    for text in (*warnings(settings.clusters), *doubts, *warnings_of_types(settings.federation.types)):
        pulumi.log.warn(text)
    return replace(settings, base=base)


def parse(raw: Mapping[str, Any], folder: Path, project: str | None = "project") -> Settings:
    """Checks plain values; manifests are read from `folder`. Raises SettingsError."""
    for key, value in raw.items():
        if depth(value, DEPTH) == DEPTH:
            raise SettingsError([Problem(one_line(key), None, "nested too deep; write it as docs/settings.md shows")])
    problems = [Problem(one_line(key), None, _unknown(key)) for key in sorted({*raw} - {*SECTIONS})]
    if not project:
        problems.append(Problem("gcp:project", None, "required; write the id of your Google Cloud project"))
    if not raw.get("clusters"):
        problems.append(Problem("clusters", None, "required; write at least one cluster, as the README shows"))
    clusters, network = read_clusters(raw, project or "", problems)
    names = list(cast(Mapping[str, Any], raw["clusters"])) if isinstance(raw.get("clusters"), Mapping) else []
    # One that is not well-formed counts as a member, so that references to it are not mistakes.
    members = [name for name in names if name not in clusters or clusters[name].member]
    labels = _labels(clusters)
    federation = check_model("federation", raw.get("federation") or {}, Federation, problems)
    if federation:
        problems.extend(_check_federation(federation, members, clusters, labels))
    base = plan(folder, federation, labels, problems) if federation else Base()

    workloads = check_models("workloads", raw.get("workloads") or {}, Workload, DNS_LABEL, problems)
    types = (federation or Federation(host="")).targets()
    space = spaces_of({name: clusters[name] for name in labels})
    manifests: dict[str, Sequence[Manifest]] = {}
    notes: list[str] = []
    by_slot = sorted(clusters.values(), key=lambda cluster: cluster.slot)
    for name, workload in workloads.items():
        setting = f"workloads.{name}"
        problems.extend(check_workload(setting, workload, members))
        own = manifests[name] = _manifests(setting, workload, folder, types, problems, notes)
        notes += [f"{setting}.manifests: {text}" for text in notes_on(own)]
        problems.extend(check_autoscalers(setting, own))
        own = manifests[name] = with_minima(own)
        problems.extend(check_buckets(setting, workload, own))
        if len(labels) == len(members):
            problems.extend(check_placement(name, workload, own, labels, space))
            problems.extend(check_overrides(setting, workload, own, labels))
            problems.extend(check_written(setting, own, clusters, candidates(workload.placement, labels)))
        if federation:
            problems.extend(check_exports(setting, workload, own, federation))
            if federation.default_deny:
                own = [with_pod_labels(name, each) for each in own]
                ranges = [cluster.addresses for cluster in by_slot if cluster.member]
                manifests[name] = [*own, *network_policies(name, workload, own, ranges)]
            problems.extend(check_openings(setting, workload, federation, own))
    problems += [*check_objects(workloads, manifests), *check_apart(base, workloads, manifests)]
    if problems or federation is None:
        raise SettingsError(problems)
    settings = Settings(clusters, federation, workloads, manifests, base, network, notes)
    if without_room := list(check_room(settings.decided, workloads, manifests, labels)):
        raise SettingsError(without_room)
    return settings


def _check_federation(
    federation: Federation,
    members: Collection[str],
    clusters: Mapping[str, Cluster],
    labels: Mapping[str, Mapping[str, str]],
) -> Iterator[Problem]:
    yield from check_federation(federation, members)
    yield from check_retained(federation, {name: clusters[name] for name in labels})
    yield from check_base(federation.operators, federation.base, labels)


def _labels(clusters: Mapping[str, Cluster]) -> dict[str, dict[str, str]]:
    """The labels of each member."""
    return {name: member_labels(cluster) for name, cluster in clusters.items() if cluster.member}


def _manifests(
    setting: str,
    workload: Workload,
    folder: Path,
    types: Sequence[TargetType],
    problems: list[Problem],
    notes: list[str],
) -> list[Manifest]:
    """The objects of a workload's file; what is wrong with it, or not used in it, is added to the lists."""
    own: list[str] = []
    try:
        return read_manifests(folder, workload.manifests, workload.namespace, types, own)
    except ManifestError as error:
        problems.extend(Problem(f"{setting}.manifests", workload.manifests, text) for text in error.problems)
    finally:
        notes += [f"{setting}.manifests: {text}" for text in own]
    return []


def _unknown(key: str) -> str:
    if ":" in key:
        return "unknown setting; write the project's name before the colon, as Pulumi.yaml has it"
    return f"unknown setting; write {one_of(key, SECTIONS)}"


def _with_identities(settings: Settings, project: str) -> Settings:
    """The settings, with manifests whose pods act as the Google service accounts that have access to their buckets."""
    emails = {
        namespace: account_email(account_id(namespace, pulumi.get_stack()), project)
        for namespace in access_of(settings.workloads, settings.manifests)
    }
    manifests = {
        name: with_identity(each, emails[settings.workloads[name].namespace])
        if settings.workloads[name].buckets
        else each
        for name, each in settings.manifests.items()
    }
    return replace(settings, manifests=manifests)


def _without_secret(problem: Problem, secret: Iterable[str]) -> Problem:
    """The problem without its value if the value is part of a secret."""
    is_secret = any(f"{problem.setting}.".startswith(f"{key}.") for key in secret)
    return replace(problem, value="[secret]") if is_secret and problem.value is not None else problem
