"""The stack's README, which Pulumi Cloud shows with the outputs that it names filled in."""

from collections.abc import Collection
from pathlib import Path

_TEMPLATE = Path(__file__).parents[1] / "Pulumi.README.md"


def stack_readme(stack: str, clusters: Collection[str], host: str, workloads: Collection[str]) -> str:
    """Pulumi.README.md for a stack's own clusters; what Pulumi Cloud fills in stays as it is, such as ${outputs.x}."""
    others = [name for name in clusters if name != host]
    fields = {
        "stack": stack,
        "host": host,
        "another": others[0] if others else host,
        "members": "\n".join(_row(name) for name in clusters),
        "workloads": ", ".join(f"`{name}`" for name in workloads) or "none yet",
        "kubeconfigs": "\n".join(
            f"pulumi stack output {name}_kubeconfig --show-secrets --stack {stack} > {name}.kubeconfig"
            for name in clusters
        ),
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    for field, value in fields.items():
        text = text.replace(f"{{{field}}}", value)
    return text


def _row(name: str) -> str:
    outputs = (f"members.{name}.region", f"members.{name}.role", f"{name}_cluster_name", f"{name}_cluster_endpoint")
    return " | ".join([f"| `{name}`", *(f"${{outputs.{each}}}" for each in outputs)]) + " |"
