"""What the roles bring, as tables made from the profiles themselves."""

from collections.abc import Iterator, Mapping

from clusters.pool_spec import NodePool
from clusters.profiles import PROFILES, Default
from clusters.spec import Cluster
from problems import Model
from stackfile.describe import flow

FILE = "docs/profiles.md"

_HEAD = """\
# Profiles

Made from `clusters/profiles.py` by `make schema`.

The roles `training` and `serving` bring defaults, and every other role brings none. A setting that the stack's file has
always holds; [settings.md](settings.md) explains each. A training cluster is pinned to one or two zones that have its
GPUs. A serving cluster is in three, and for bursts has a second pool of `spot: true` machines beside the one whose
`min_nodes` are always there.
"""


def profiles() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_tables()])


def _tables() -> Iterator[str]:
    for role, profile in PROFILES.items():
        yield f"## `role: {role}`\n"
        yield "| setting | default | of other roles | not beside | why |\n|---|---|---|---|---|"
        yield from _rows("", profile.cluster, Cluster)
        yield from _rows("node_pools.NAME.", profile.gpu_pool, NodePool)
        yield "\nThe settings of `node_pools` are those of pools with GPUs.\n"


def _rows(path: str, defaults: Mapping[str, Default], model: type[Model]) -> Iterator[str]:
    for name, each in defaults.items():
        other = model.model_fields[name].get_default(call_default_factory=True)
        unless = ", ".join(f"`{setting}`" for setting in each.unless)
        yield f"| `{path}{name}` | `{flow(each.value)}` | `{flow(other)}` | {unless} | {each.reason} |"
