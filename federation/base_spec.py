"""The settings of the base, which is what every member has before any type is enabled, and what must hold of them.

It reads no manifests (base_sources.py does).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from clusters.spec import selects
from clusters.versions import is_older
from federation.operators import KUEUE, OPERATORS
from placement.api.kinds import NAMESPACE
from placement.spec import Select
from problems import DNS_LABEL, Model, Problem, one_of

URL = "https://"
"""The start of an address, by which it differs from a path."""
OCI = "oci://"
"""The start of the address of a chart in a registry."""
_VERSION = r"^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$"
_VERSION_TEXT = "a released version of the operator, such as v0.10.1"


def _address(value: str) -> str:
    if "://" in value and not value.startswith(URL):
        raise ValueError(f"write a path in the project's folder, or an address that begins with {URL}")
    return value


Manifests = Annotated[str, Field(min_length=1), AfterValidator(_address)]


class OperatorSettings(Model):
    """An operator in every member: its version, and where its manifests are."""

    version: str = Field(pattern=_VERSION, description=f"{_VERSION_TEXT}\n\nIt is installed as it was released.")
    manifests: Manifests | None = None
    """a path in the project's folder, or an address that begins with https://

    A copy of the release's manifests, as from a mirror. Left out, they are loaded from where the operator publishes
    them.
    """
    queues: bool = False
    """true to have Kueue's queues made from the node pools, or false

    Each member then has a ResourceFlavor for each pool, and one ClusterQueue named default, with what the pools have at
    their largest. A workload has LocalQueues of its own.
    """

    @model_validator(mode="before")
    @classmethod
    def _from_version(cls, raw: Any) -> Any:
        return {"version": raw} if isinstance(raw, str | int | float) else raw


class _OrVersion:
    """Says in the schema that a version alone may be written."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": "string", "pattern": _VERSION, "description": _VERSION_TEXT}]}


Operators = Annotated[
    dict[str, Annotated[OperatorSettings, _OrVersion()]],
    Field(json_schema_extra={"propertyNames": {"enum": [*OPERATORS]}}),
]


class BaseSource(Model):
    """Manifests or a Helm chart, in every member or in those that are selected."""

    manifests: Manifests | None = None
    """a path in the project's folder, or an address that begins with https://

    A YAML file of any Kubernetes objects, cluster-scoped ones too.
    """
    chart: str | None = Field(default=None, min_length=1)
    """the name of a Helm chart in repo, oci:// and its address, or the path of its folder

    The release has the last part of it for a name.
    """
    repo: str | None = Field(default=None, pattern=rf"^{URL}")
    """the address of the chart's repository, which begins with https://

    Left out for a chart in a registry or a folder.
    """
    version: str | None = Field(default=None, min_length=1)
    """the version of the chart, such as 1.2.3

    Required, but for a chart in a folder.
    """
    namespace: str | None = Field(default=None, pattern=DNS_LABEL)
    """the namespace of the chart's release

    It is created. Manifests name their own.
    """
    values: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """a map of the chart's values

    As in its values.yaml.
    """
    select: Select = Field(default_factory=dict[str, str])
    """a map of labels that a member must have

    Left out, every member has it.
    """

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.manifests is None) == (self.chart is None):
            raise ValueError("write either manifests or chart, and the other in an entry of its own")
        given = [name for name in ("repo", "version", "namespace", "values") if getattr(self, name)]
        if self.manifests is not None and given:
            raise ValueError(f"{given[0]} is of a chart; remove it, or write chart in place of manifests")
        if self.chart is not None:
            self._check_chart(self.chart)
        return self

    def _check_chart(self, chart: str) -> None:
        if self.namespace is None:
            raise ValueError("a chart needs a namespace; write one, which is created")
        if self.repo and (chart.startswith(OCI) or "/" in chart):
            raise ValueError("a chart of a repository has a name without a slash; write it, or remove repo")
        if (self.repo or chart.startswith(OCI)) and not self.version:
            raise ValueError("a chart needs a version; write one, such as 1.2.3")
        if not self.repo and not chart.startswith(OCI) and ("://" in chart or "/" not in chart):
            raise ValueError(f"write its repo, {OCI} and its address in chart, or the path of a folder, as ./charts/a")


def check_base(
    operators: Mapping[str, OperatorSettings], base: Sequence[BaseSource], members: Mapping[str, Mapping[str, str]]
) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed base of members with these labels."""
    for name, each in operators.items():
        setting = f"federation.operators.{name}"
        known = OPERATORS.get(name)
        if known is None:
            advice = f"not an operator that is known; write {one_of(name, OPERATORS)}, or list it in federation.base"
            yield Problem(setting, name, advice)
            continue
        if is_older(each.version, known.oldest):
            advice = f"its types are not yet those that KubeFed would federate; write {known.oldest} or a later version"
            yield Problem(f"{setting}.version", each.version, advice)
        elif known.published and not each.manifests and is_older(each.version, known.published):
            advice = f"it is published from {known.published} on; write that or a later version, or the path of its"
            yield Problem(f"{setting}.version", each.version, f"{advice} manifests in {setting}.manifests")
        for other in known.needs:
            if other not in operators:
                yield Problem(setting, each.version, f"it needs the operator {other}; write that, too")
        if each.queues and name != KUEUE:
            yield Problem(f"{setting}.queues", True, f"only {KUEUE} has queues; remove it")
    releases: dict[tuple[str, str | None, str], int] = {}
    for number, each in enumerate(base):
        setting = f"federation.base.{number}"
        selected = selected_members(each, members)
        if members and not selected:
            text = ", ".join(f"{key}={value}" for key, value in each.select.items())
            yield Problem(f"{setting}.select", text, "no member has these labels; write those of one, or remove it")
        if each.namespace in ("default", NAMESPACE) or (each.namespace or "").startswith("kube-"):
            yield Problem(f"{setting}.namespace", each.namespace, "exists in every cluster; write one of its own")
        for member in selected if each.chart else ():
            first = releases.setdefault((release_name(each.chart or ""), each.namespace, member), number)
            if first != number:
                advice = f"federation.base.{first} is a release of this name in this namespace; write another namespace"
                yield Problem(f"{setting}.chart", each.chart, advice)
                break


def selected_members(source: BaseSource, members: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The members that have an entry of the base, by name, given the labels of each."""
    return [
        name
        for name, labels in sorted(members.items())
        if all(selects(labels, key, value) for key, value in source.select.items())
    ]


def release_name(chart: str) -> str:
    """The name of a chart's release."""
    return chart.rstrip("/").rpartition("/")[2]
