"""Fields that cannot change in an existing copy: the API server refuses it, or KubeFed keeps the copy's own value.

Source: the update validation of Kubernetes 1.35 (pkg/apis/*/validation), and for Services and ServiceAccounts what
KubeFed v0.10.0 keeps from the copy (pkg/controller/sync/dispatch/retain.go).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from federation.digest import digest
from placement.api.ends import without_fields
from placement.api.kinds import CLAIMS, JOBS, STATEFUL_SETS, VOLUMES, TargetType
from placement.api.owners import REFUSING
from placement.api.schemas import fields_of
from placement.patches import patched, steps_of

Body = Mapping[str, Any]
Patches = Mapping[str, Sequence[Mapping[str, Any]]]
"""The JSON patches of each cluster."""

_ANNOTATIONS = "/metadata/annotations/"
_CHANGEABLE_OF_VOLUMES = (
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
)


def _of(body: Body, *fields: str, **defaults: Any) -> dict[str, Any]:
    """These fields of an object's spec, and those with a default, which an empty value counts as."""
    spec: Body = body.get("spec") or {}
    return {field: spec.get(field) for field in fields} | {
        field: spec.get(field) or default for field, default in defaults.items()
    }


def _service(body: Body) -> dict[str, Any]:
    fixed = _of(
        body,
        "clusterIPs",
        "healthCheckNodePort",
        "ipFamilies",
        "ipFamilyPolicy",
        "loadBalancerClass",
        type="ClusterIP",
        clusterIP="",
        externalTrafficPolicy="Cluster",
    )
    ports: Sequence[Body] = _of(body, "ports")["ports"] or []
    fixed["nodePorts"] = {
        f"{port.get('name', '')} {port.get('protocol', 'TCP')} {port.get('port')}": port["nodePort"]
        for port in ports
        if port.get("nodePort")
    }
    return fixed


def _stateful_set(body: Body) -> dict[str, Any]:
    return _of(body, "selector", "volumeClaimTemplates", serviceName="", podManagementPolicy="OrderedReady")


def _claim(body: Body) -> dict[str, Any]:
    spec: Body = body.get("spec") or {}
    return {key: value for key, value in spec.items() if key not in ("resources", "volumeAttributesClassName")}


def _volume(body: Body) -> dict[str, Any]:
    """Where a PersistentVolume's data is, and how it is mounted."""
    spec: Body = body.get("spec") or {}
    return {key: value for key, value in spec.items() if key not in _CHANGEABLE_OF_VOLUMES}


def _data(body: Body) -> dict[str, Any]:
    fixed: dict[str, Any] = {"type": body.get("type") or "Opaque"} if body.get("kind") == "Secret" else {}
    if body.get("immutable") is True:
        return fixed | {key: body.get(key) for key in ("data", "binaryData", "stringData")}
    return fixed | {"immutable": False}


_DATA = {CLAIMS: "claim", VOLUMES: "volume"}

_FIXED: Mapping[str, Callable[[Body], dict[str, Any]]] = {
    "configmaps": _data,
    "clusterrolebindings.rbac.authorization.k8s.io": lambda body: {"roleRef": body.get("roleRef")},
    "daemonsets.apps": lambda body: _of(body, "selector"),
    "deployments.apps": lambda body: _of(body, "selector"),
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "priorityclasses.scheduling.k8s.io": lambda body: {
        "value": body.get("value"),
        "preemptionPolicy": body.get("preemptionPolicy") or "PreemptLowerPriority",
    },
    "replicasets.apps": lambda body: _of(body, "selector"),
    "resourcequotas": lambda body: _of(body, "scopes"),
    "rolebindings.rbac.authorization.k8s.io": lambda body: {"roleRef": body.get("roleRef")},
    "secrets": _data,
    "serviceaccounts": lambda body: {"secrets": bool(body.get("secrets"))},
    "services": _service,
    "statefulsets.apps": _stateful_set,
}


def fixed_fields(target: TargetType, template: Body, patches: Patches) -> dict[str, dict[str, Any]]:
    """The fixed fields of an object's copies: under "" the common ones, and under a cluster those that differ there.

    `template` is what the copies are made from. Empty for a type without fixed fields.
    """
    read = _FIXED.get(target.config_name)
    if read is None:
        return {}
    body = {"kind": target.kind, **template}
    common = read(body)
    own = {cluster: read(patched(body, each)) for cluster, each in sorted(patches.items())}
    return {"": common} | {cluster: each for cluster, each in own.items() if each != common}


def replacement_trigger(target: TargetType, template: Body, patches: Patches) -> str | None:
    """A digest of an object's fixed fields: when it changes, the copies must be re-created. None where it has none.

    A claim or a volume has none, since its data would be deleted with it.
    """
    fixed = fixed_fields(target, template, patches)
    if not fixed or target in _DATA:
        return None
    return digest(fixed)


def another_run(
    target: TargetType, template: Body, patches: Patches, clusters: Collection[str], suspends: bool = False
) -> str | None:
    """A digest of what runs once: when it changes, another run replaces it. None for what has no end of its own.

    Where a copy can be suspended in place, whether it is does not count; `suspends` where admission policies permit it
    for every kind.
    """
    kind = target.pod_kind
    if kind.ends is None or target == JOBS:
        return None
    left_out = [kind.suspend] if kind.suspend and (suspends or target.config_name not in REFUSING) else []
    other = {name: [each for each in own if each["path"] not in left_out] for name, own in patches.items()}
    run = {"template": without_fields(template, left_out), "patches": other, "clusters": sorted(clusters)}
    return digest(run)


def fixed_in_a_job(suspends: bool) -> list[str]:
    """The paths in a federated Job whose change makes another one; where `suspends`, spec.suspend is not among them."""
    template = ["spec.template"]
    if suspends:
        fields = sorted({*fields_of("batch.v1.JobSpec")} - {"suspend"})
        template = ["spec.template.metadata", *(f"spec.template.spec.{field}" for field in fields)]
    return [*template, "spec.placement", "spec.overrides"]


def impossible_field_changes(
    target: TargetType, name: str, before: tuple[Body, Patches], after: tuple[Body, Patches], clusters: Collection[str]
) -> Iterator[str]:
    """Yields why a change of an object could not reach its copies in these clusters, with what to do instead.

    `before` and `after` are a template and the patches of each cluster.
    """
    about = f"{target.kind} {name}"
    if target.pod_kind.ends is not None:
        # A changed Job is another Job.
        return
    changed = sorted({field for cluster in clusters for field in _changed(target, before, after, cluster)})
    if target in _DATA and changed:
        fields, what = ", ".join(f"spec.{field}" for field in changed), _DATA[target]
        yield f"{about}: {fields} of a {what} cannot be changed; write another name, which is another {what}"
    if target == STATEFUL_SETS and changed and _deletes_claims(before[0]):
        yield (
            f"{about}: a change of {changed[0]} re-creates it and deletes its claims (whenDeleted: Delete); write "
            "persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain}, run pulumi up, and then change it"
        )
    for cluster in sorted(clusters):
        for key in sorted(_annotations(before[1].get(cluster, ())) - _annotations(after[1].get(cluster, ()))):
            yield (
                f"{about}: annotation {key} would stay in {cluster}, since KubeFed removes none from a copy; write it "
                'with the value "", or give the object another name'
            )


def _changed(target: TargetType, before: tuple[Body, Patches], after: tuple[Body, Patches], cluster: str) -> list[str]:
    """The fixed fields whose value a change would change in a cluster."""
    fixed = [fixed_fields(target, *each) for each in (before, after)]
    was, will = (each.get(cluster, each.get("", {})) for each in fixed)
    return [field for field in {*was, *will} if was.get(field) != will.get(field)]


def _deletes_claims(body: Body) -> bool:
    policy: Body = _of(body, "persistentVolumeClaimRetentionPolicy")["persistentVolumeClaimRetentionPolicy"] or {}
    return policy.get("whenDeleted") == "Delete"


def _annotations(patches: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        steps_of(each["path"])[-1]
        for each in patches
        if each["path"].startswith(_ANNOTATIONS) and each.get("op") != "remove"
    }
