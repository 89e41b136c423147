"""The stand-in for Pulumi's gcp plugin, with the kinds that the program uses."""

import re
from collections.abc import Iterable

from local.differences import differences
from local.gcp import quotas, services
from local.gcp.buckets import GET, BucketMember, get_bucket
from local.gcp.cluster import Cluster
from local.gcp.firewall import Firewall
from local.gcp.gkebackup import BackupPlan
from local.gcp.gkehub import Feature, FeatureMember
from local.gcp.identity import Account, AccountMember, ProjectMember
from local.gcp.kms import CryptoKey, KeyMember, KeyRing
from local.gcp.nat import Router, RouterNat
from local.gcp.network import GET_SUBNET, Network, Subnetwork, get_subnet
from local.gcp.pools.node_pool import NodePool
from local.gcp.registry import Registry
from local.gcp.resource import Cloud, Kind, Wrong, check, project_of
from local.gcp.resource_policies import ResourcePolicy
from local.gcp.services import Service, ServiceIdentity
from local.paths import Home
from local.plugin import Difference, Plugin, Refused, Resource
from local.wire import Properties

KINDS: dict[str, Kind] = {
    kind.token: kind
    for kind in (
        Service(),
        ServiceIdentity(),
        Network(),
        Subnetwork(),
        Router(),
        RouterNat(),
        Firewall(),
        Account(),
        ProjectMember(),
        AccountMember(),
        BucketMember(),
        KeyRing(),
        CryptoKey(),
        KeyMember(),
        Cluster(),
        ResourcePolicy(),
        NodePool(),
        Feature(),
        FeatureMember(),
        BackupPlan(),
    )
}
_GET_PROJECT = "gcp:organizations/getProject:getProject"
_GONE = "gone"  # in the registry: names that cannot be used again


class GcpPlugin(Plugin):
    """Google Cloud, as far as this project uses it."""

    version = "10.2.0"

    def __init__(self, home: Home) -> None:
        self._cloud = Cloud(home, Registry(home.root / "cloud"), "")

    def configure(self, inputs: Properties) -> None:
        project, region = (str(inputs.get(each, "")) for each in ("project", "region"))
        self._cloud = Cloud(self._cloud.home, self._cloud.registry, project, region)

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, dict[str, str]]:
        kind = _kind(resource)
        inputs = dict(new)
        if kind.named and "name" not in inputs:
            inputs["name"] = old.get("name") or f"{resource.name}-{seed.hex()[:7]}"
        identifier = kind.identify(self._cloud, inputs)
        failures: dict[str, list[str]] = {}
        for wrong in check(kind, self._cloud, identifier, inputs):
            failures.setdefault(wrong.property, []).append(wrong.why)
        kind.announce(self._cloud, inputs)
        return inputs, {path: "; ".join(dict.fromkeys(whys)) for path, whys in failures.items()}

    def diff(self, resource: Resource, old_inputs: Properties, old: Properties, new: Properties) -> Difference:
        kind = _kind(resource)
        found = Difference()
        for path in differences(old_inputs, new):
            replaces = kind.replaces(re.sub(r"\[[^]]*\]", "", path), old_inputs, new)
            (found.replaces if replaces else found.updates).append(path)
        for path in kind.taken_out(old, new):
            if path not in found.replaces and not _within(path, resource.ignore_changes):
                found.replaces.append(path)
        return found

    def create(self, resource: Resource, inputs: Properties) -> tuple[str, Properties]:
        kind, cloud = _kind(resource), self._cloud
        if resource.preview:
            # Outputs that are left out are unknown to the program, as with the real one.
            return "", inputs | kind.foreseen(inputs)
        identifier = kind.identify(cloud, inputs)
        with cloud.registry.locked():
            existing = cloud.registry.get(kind.slug, identifier)
            if existing is not None and not kind.shared:
                raise Refused(f"Error 409: Already exists: {identifier}")
            if cloud.registry.get(_GONE, identifier) is not None:
                why = "it was deleted, and its name cannot be used again: choose another"
                raise Refused(f"Error 409: Already exists: {identifier}; {why}")
            self._admit(kind, identifier, inputs)
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
        outputs = new | kind.outputs(cloud, resource.id, new) | kind.kept(old, new)
        if not resource.preview:
            with cloud.registry.locked():
                self._admit(kind, resource.id, new)
            outputs |= kind.change(cloud, resource.id, new)
            cloud.registry.put(kind.slug, resource.id, outputs)
        return outputs

    def invoke(self, token: str, arguments: Properties) -> Properties:
        if token == GET:
            return get_bucket(arguments)
        if token == quotas.GET:
            return quotas.get_quota(self._cloud.project, arguments)
        if token == GET_SUBNET:
            return get_subnet(self._cloud, arguments)
        if token == _GET_PROJECT:
            project = str(arguments.get("projectId") or self._cloud.project)
            return {"id": f"projects/{project}", "projectId": project, "number": services.number(project)}
        return super().invoke(token, arguments)

    def delete(self, resource: Resource, state: Properties) -> None:
        kind, cloud = _kind(resource), self._cloud
        found = cloud.registry.get(kind.slug, resource.id) or state
        if found.get("deletionPolicy") == "PREVENT":
            why = "deletion_policy is set to PREVENT"
            raise Refused(f"cannot destroy {resource.id} because {why}. Set it to DELETE to proceed with the deletion")
        if found.get("deletionPolicy") != "ABANDON":
            kind.remove(cloud, resource.id, found)
            cloud.registry.remove(kind.slug, resource.id)
        if kind.lasting:
            cloud.registry.put(_GONE, resource.id, {})

    def _admit(self, kind: Kind, identifier: str, inputs: Properties) -> None:
        """Raises Refused for what cannot be created or changed, given the resources that exist now."""
        cloud = self._cloud
        project = project_of(cloud, inputs)
        disabled = [services.refusal(cloud, project, api) for api in kind.apis(inputs)]
        if any(disabled):
            raise Refused("; ".join(filter(None, disabled)))
        _refuse([*check(kind, cloud, identifier, inputs), *kind.hindered(cloud, identifier, inputs)])


def _refuse(found: Iterable[Wrong]) -> None:
    whys = dict.fromkeys(f"{wrong.property}: {wrong.why}" for wrong in found)
    if whys:
        raise Refused("; ".join(whys))


def _within(path: str, outer: Iterable[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in outer)


def _kind(resource: Resource) -> Kind:
    if resource.type not in KINDS:
        raise Refused(
            f"{resource.type} is not known to the local stand-in for Google Cloud, which has {', '.join(KINDS)}"
        )
    return KINDS[resource.type]
