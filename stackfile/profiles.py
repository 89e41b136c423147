"""Writes the defaults of the roles as tables into the README, from the profiles themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from clusters.pools.spec import NodePool
from clusters.profiles import PROFILES, Default
from clusters.spec import Cluster
from problems import Model
from stackfile.describe import flow

FILE = "README.md"

_START = "<!-- roles: made from clusters/profiles.py by `make schema` -->\n"
_END = "<!-- end of roles -->\n"


def with_profiles(page: str) -> str:
    """The page with the current tables between the two marks, which it must have."""
    before, start, rest = page.partition(_START)
    _, end, after = rest.partition(_END)
    assert start, f"{FILE} has no {_START}"
    assert end, f"{FILE} has no {_END}"
    return "".join([before, start, "\n".join(_tables()), "\n", end, after])


def readme() -> str:
    """The README with the current tables."""
    return with_profiles((Path(__file__).parents[1] / FILE).read_text(encoding="utf-8"))


def _tables() -> Iterator[str]:
    for role, profile in PROFILES.items():
        yield f"\n`role: {role}` sets:\n"
        yield "| setting | default | of other roles | not with | why |\n|---|---|---|---|---|"
        yield from _rows("", profile.cluster, Cluster)
        yield from _rows("node_pools.NAME.", profile.gpu_pool, NodePool)
    yield ""


def _rows(path: str, defaults: Mapping[str, Default], model: type[Model]) -> Iterator[str]:
    for name, each in defaults.items():
        other = model.model_fields[name].get_default(call_default_factory=True)
        unless = ", ".join(f"`{setting}`" for setting in each.unless)
        yield f"| `{path}{name}` | `{flow(each.value)}` | `{flow(other)}` | {unless} | {each.reason} |"
