"""The plugin: what Pulumi's engine asks of Google Cloud, answered from the kinds that the program uses."""

from local.gcp.buckets import GET, get_bucket
from local.gcp.cluster import Cluster
from local.gcp.identity import Account, IamMember
from local.gcp.network import Network, Subnetwork
from local.gcp.node_pool import NodePool
from local.gcp.registry import Registry
from local.gcp.resource import Cloud, Kind, is_name
from local.paths import Home
from local.plugin import UNKNOWN, Difference, Plugin, Properties, Refused, Resource, known

KINDS: dict[str, Kind] = {
    kind.token: kind for kind in (Network(), Subnetwork(), Account(), IamMember(), Cluster(), NodePool())
}


class GcpPlugin(Plugin):
    """Google Cloud, as far as this project uses it."""

    version = "10.2.0"

    def __init__(self, home: Home) -> None:
        self._cloud = Cloud(home, Registry(home.root / "cloud"), "")

    def configure(self, inputs: Properties) -> None:
        self._cloud = Cloud(self._cloud.home, self._cloud.registry, str(inputs.get("project", "")))

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, dict[str, str]]:
        kind = _kind(resource)
        inputs = dict(new)
        if kind.named and "name" not in inputs:
            inputs["name"] = old.get("name") or f"{resource.name}-{seed.hex()[:7]}"
        wrong: list[str] = []
        name = inputs.get("name")
        if kind.named and name != UNKNOWN and not is_name(name, kind.longest_name):
            rule = f"1 to {kind.longest_name} lower-case letters, digits and dashes, a letter first and no dash last"
            wrong.append(f"name {name} is not {rule}")
        identifier = kind.identify(self._cloud, inputs)
        wrong.extend(kind.wrong(self._cloud, identifier, inputs))
        return inputs, {"": "; ".join(wrong)} if wrong else {}

    def diff(self, resource: Resource, old_inputs: Properties, old: Properties, new: Properties) -> Difference:
        fixed = _kind(resource).fixed
        changed = [key for key in sorted({*old_inputs, *new}) if old_inputs.get(key) != new.get(key)]
        return Difference(
            updates=[key for key in changed if key not in fixed], replaces=[key for key in changed if key in fixed]
        )

    def create(self, resource: Resource, inputs: Properties) -> tuple[str, Properties]:
        kind, cloud = _kind(resource), self._cloud
        if resource.preview:
            return "", inputs | (kind.outputs(cloud, "", inputs) if known(inputs) else {})
        identifier = kind.identify(cloud, inputs)
        with cloud.registry.locked():
            if cloud.registry.get(kind.slug, identifier) is not None:
                raise Refused(f"{identifier} exists already")
            wrong = list(kind.wrong(cloud, identifier, inputs))
            if wrong:
                raise Refused("; ".join(wrong))
            outputs = inputs | kind.outputs(cloud, identifier, inputs)
            cloud.registry.put(kind.slug, identifier, outputs)
        try:
            outputs |= kind.make(cloud, identifier, inputs)
        except BaseException:
            cloud.registry.remove(kind.slug, identifier)
            raise
        cloud.registry.put(kind.slug, identifier, outputs)
        return identifier, outputs

    def read(self, resource: Resource, inputs: Properties, state: Properties) -> tuple[Properties, Properties] | None:
        found = self._cloud.registry.get(_kind(resource).slug, resource.id)
        return None if found is None else (inputs, found)

    def update(self, resource: Resource, old: Properties, new: Properties) -> Properties:
        kind, cloud = _kind(resource), self._cloud
        outputs = old | new
        for key in old.keys() - new.keys():
            if key not in kind.outputs(cloud, resource.id, new) and key not in (
                "endpoint",
                "masterVersion",
                "masterAuth",
            ):
                outputs.pop(key)
        if not resource.preview:
            outputs |= kind.change(cloud, resource.id, new)
            cloud.registry.put(kind.slug, resource.id, outputs)
        return outputs

    def invoke(self, token: str, arguments: Properties) -> Properties:
        return get_bucket(arguments) if token == GET else super().invoke(token, arguments)

    def delete(self, resource: Resource, state: Properties) -> None:
        kind, cloud = _kind(resource), self._cloud
        kind.remove(cloud, resource.id, cloud.registry.get(kind.slug, resource.id) or state)
        cloud.registry.remove(kind.slug, resource.id)


def _kind(resource: Resource) -> Kind:
    if resource.type not in KINDS:
        raise Refused(
            f"{resource.type} is not among what the local stand-in for Google Cloud knows: {', '.join(KINDS)}"
        )
    return KINDS[resource.type]
