"""Reads selectors of labels, of nodes as of pods, and says whether a label meets one of their requirements.

What Kubernetes refuses, such as an unknown operator, is passed over: schemas.py and the API server report it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from placement.api.lookup import at, elements, entries

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


@dataclass(frozen=True)
class Requirement:
    """What a label must be; where `field` is true, not a label but a field of the node, such as its name."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    field: bool = False

    def __str__(self) -> str:
        values = f"({', '.join(self.values)})"
        match self.operator:
            case "In":
                return f"{self.key}={self.values[0]}" if len(self.values) == 1 else f"{self.key} in {values}"
            case "NotIn":
                return f"{self.key} not in {values}"
            case "Gt" | "Lt":
                return f"{self.key} {'>' if self.operator == 'Gt' else '<'} {', '.join(self.values)}"
            case _:
                return self.key if self.operator == "Exists" else f"no {self.key}"

    @property
    def met_by_absence(self) -> bool:
        """Whether it holds where the label is absent."""
        return self.operator in ("NotIn", "DoesNotExist")


def holds(requirement: Requirement, value: str | None) -> bool:
    """Whether a label's value, None where it is absent, is as required.

    Source: Requirement.Matches in k8s.io/apimachinery/pkg/labels/selector.go, v0.35.
    """
    if value is None:
        return requirement.met_by_absence
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Gt" | "Lt":
            number, limit = _number(value), _number(requirement.values[0]) if len(requirement.values) == 1 else None
            if number is None or limit is None:
                return False
            return number > limit if requirement.operator == "Gt" else number < limit
        case _:
            return requirement.operator == "Exists"


def of_map(selector: Any) -> tuple[Requirement, ...]:
    """The requirements of a map of labels, such as a pod's nodeSelector or matchLabels."""
    labels: Mapping[Any, Any] = entries(selector)
    return tuple(
        Requirement(key, "In", (value,))
        for key, value in labels.items()
        if isinstance(key, str) and isinstance(value, str)
    )


def of_expressions(expressions: Any, field: bool = False) -> tuple[Requirement, ...]:
    """The requirements of matchExpressions or, as fields, of matchFields."""
    return tuple(
        Requirement(at(each, "key"), at(each, "operator"), tuple(_texts(at(each, "values"))), field)
        for each in elements(expressions)
        if isinstance(at(each, "key"), str) and at(each, "operator") in _OPERATORS
    )


def of_labels(selector: Any) -> tuple[Requirement, ...]:
    """The requirements of a label selector: its matchLabels and its matchExpressions."""
    return of_map(at(selector, "matchLabels")) + of_expressions(at(selector, "matchExpressions"))


def of_node(pod: Any) -> tuple[tuple[Requirement, ...], ...]:
    """What a pod requires of its node, as alternatives of which one must hold; one without requirements always does.

    Each has the pod's nodeSelector and one term of its required affinity. A term without requirements matches no node.
    """
    selected = of_map(at(pod, "nodeSelector"))
    required = at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return (selected,)
    terms = [
        of_expressions(at(term, "matchExpressions")) + of_expressions(at(term, "matchFields"), field=True)
        for term in elements(at(required, "nodeSelectorTerms"))
    ]
    return tuple(selected + term for term in terms if term)


def _texts(values: Any) -> Iterable[str]:
    return (each for each in elements(values) if isinstance(each, str))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None
