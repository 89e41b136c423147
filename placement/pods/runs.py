"""Whether a workload runs whole, divided or duplicated, and what its settings may not say then.

It is of the whole workload: its objects reach each other, and their Services do not reach into another cluster. Which
clusters are taken is decided in policies.py.
"""

from collections.abc import Iterator, Sequence

from placement.api.pod_kinds import Run
from placement.manifests.manifest import Manifest
from placement.pods.pods import default_run
from placement.spec import Nearest, Placement, Spread, Weighted
from problems import Problem


def run_of(manifests: Sequence[Manifest], chosen: Run | None = None) -> Run:
    """How a workload runs: as its settings say, else whole if any of its objects does by default.

    Of a divided workload, what has no number of units is duplicated.
    """
    if chosen:
        return chosen
    runs = {default_run(manifest) for manifest in manifests}
    return "whole" if "whole" in runs else "divided" if "divided" in runs else "duplicated"


def counted(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The objects that a decision has shares of, in their order."""
    return [manifest for manifest in manifests if manifest.type.counted]


def check_run(
    setting: str, chosen: Run | None, placement: Placement, manifests: Sequence[Manifest]
) -> Iterator[Problem]:
    """Yields why a workload's objects cannot run as its settings say."""
    if chosen == "divided":
        for manifest in manifests:
            if _together(manifest):
                why = "its indexes must each exist once" if manifest.type.counted else "its pods run together"
                advice = (
                    f"{named(manifest)} cannot be divided, since {why}; write run: whole, or duplicated for one each"
                )
                yield Problem(f"{setting}.run", chosen, advice)
        if manifests and not counted(manifests):
            advice = "nothing in the manifests has a number of replicas to divide; remove run, or write duplicated"
            yield Problem(f"{setting}.run", chosen, advice)
    if chosen == "duplicated" and isinstance(placement, Weighted):
        advice = "weights divide a number, and each cluster gets all of it; write policy: clusters, or run: divided"
        yield Problem(f"{setting}.placement.weights", None, advice)
    if chosen == "duplicated" and isinstance(placement, Spread | Weighted) and placement.limits:
        advice = "limits divide a number, and each cluster gets all of it; remove limits, or write run: divided"
        yield Problem(f"{setting}.placement.limits", None, advice)


def contradiction(
    placement: Placement, names: Sequence[str], because: str = "it", divisible: bool = False
) -> tuple[str, str, str]:
    """Why a policy with these candidates cannot place what runs whole: setting, value and advice; empty where it can.

    `because` says what runs whole, and `divisible` that it could be divided if the settings say so.
    """
    instead = ", run: divided for a part of its replicas in each" if divisible else ""
    instead += ", or run: duplicated for all of it in each, or two workloads of what is whole and what is divided"
    if isinstance(placement, Nearest) and placement.count > 1:
        text = f"{because} runs whole, in one cluster; write count: 1{instead}"
        return "placement.count", str(placement.count), text
    if isinstance(placement, Spread | Weighted) and len(names) > 1:
        where = f"{len(names)} clusters ({', '.join(names)})"
        text = f"over {where}, but {because} runs whole, in one cluster; write policy: nearest, region or clusters"
        return "placement.policy", placement.policy, text + instead
    return "", "", ""


def named(manifest: Manifest) -> str:
    """An object as messages name it; a Job that is whole by its indexes is called Indexed."""
    indexed = "Indexed " if manifest.type.run != default_run(manifest) else ""
    return f"{indexed}{manifest.type.kind} {manifest.name}"


def whole_because(manifests: Sequence[Manifest], chosen: Run | None) -> tuple[str, bool]:
    """What makes a workload run whole, as a message says it, and whether it could be divided."""
    if chosen:
        return "the workload (run: whole)", not any(_together(each) for each in manifests)
    wholes = [each for each in manifests if default_run(each) == "whole"]
    first = next((each for each in wholes if _together(each)), next(iter(wholes), None))
    return (named(first), not _together(first)) if first else ("the workload", False)


def _together(manifest: Manifest) -> bool:
    """Whether an object is whole and can never be divided; a StatefulSet can."""
    return default_run(manifest) == "whole" and manifest.type.config_name != "statefulsets.apps"
