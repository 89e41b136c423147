"""Access to buckets: for each namespace a Google service account, which its workloads' pods act as."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_gcp import config as gcp_config
from pulumi_gcp import serviceaccount, storage

from clusters.apis import Apis
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups
from placement.spec import BUCKET
from placement.workload import Workload
from problems import Problem

ANNOTATION = "iam.gke.io/gcp-service-account"
"""The annotation by which a Kubernetes service account names the Google one that it acts as."""
ROLES = {"read": "roles/storage.objectViewer", "write": "roles/storage.objectUser"}
_LONGEST = 30  # characters in an account id


@dataclass(frozen=True)
class Access:
    """What the pods of one namespace may do: to each bucket, by name, read or write, as which service accounts."""

    buckets: Mapping[str, str]
    accounts: Sequence[str]


def pod_accounts(manifests: Sequence[Manifest]) -> list[str]:
    """The Kubernetes service accounts that a workload's pods run as."""
    pods = [group.spec for manifest in manifests for group in pod_groups(manifest)]
    return sorted({str(spec.get("serviceAccountName") or "default") for spec in pods})


def check_buckets(setting: str, workload: Workload, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """Yields why pods could not be given a workload's buckets."""
    if not workload.buckets:
        return
    used = pod_accounts(manifests)
    own = {each.name for each in manifests if each.type.config_name == "serviceaccounts"}
    if manifests and not used:
        yield Problem(f"{setting}.buckets", None, "the manifests have no pods; remove buckets, or add what runs pods")
    for account in used:
        if account not in own:
            advice = (
                f"pods run as ServiceAccount {account}, which is not in the manifests; write one there, and its name "
                "as serviceAccountName of the pods"
            )
            yield Problem(f"{setting}.buckets", None, advice)


def access_of(workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]) -> dict[str, Access]:
    """What the pods of each namespace may do, where workloads name buckets; of two rights to one, `write` wins."""
    found: dict[str, Access] = {}
    for name, workload in workloads.items():
        if workload.buckets:
            known = found.get(workload.namespace, Access({}, ()))
            buckets = dict(known.buckets)
            for bucket, right in workload.buckets.items():
                plain = bucket.removeprefix(BUCKET)
                buckets[plain] = "write" if "write" in (right, buckets.get(plain)) else right
            accounts = sorted({*known.accounts, *pod_accounts(manifests[name])})
            found[workload.namespace] = Access(dict(sorted(buckets.items())), accounts)
    return found


def account_id(namespace: str, stack: str) -> str:
    """The id of a namespace's account, unique to the stack, in Google Cloud's 6 to 30 characters."""
    digest = hashlib.sha256(f"{stack}/namespaces/{namespace}".encode()).hexdigest()[:6]
    return f"w-{namespace}"[: _LONGEST - len(digest) - 1].rstrip("-") + f"-{digest}"


def account_email(account: str, project: str) -> str:
    """The address of a project's service account; the id of a project in a domain is DOMAIN:NAME."""
    domain, _, name = project.rpartition(":")
    return (
        f"{account}@{name}.{domain}.iam.gserviceaccount.com" if domain else f"{account}@{name}.iam.gserviceaccount.com"
    )


def with_identity(manifests: Sequence[Manifest], email: str) -> list[Manifest]:
    """The manifests, with the service accounts of the pods annotated to act as a Google one."""
    used = pod_accounts(manifests)
    return [
        _annotated(each, email) if each.type.config_name == "serviceaccounts" and each.name in used else each
        for each in manifests
    ]


def _annotated(manifest: Manifest, email: str) -> Manifest:
    metadata: Mapping[str, Any] = manifest.body["metadata"]
    annotations: dict[str, Any] = {**(metadata.get("annotations") or {}), ANNOTATION: email}
    return replace(manifest, body={**manifest.body, "metadata": {**metadata, "annotations": annotations}})


class BucketAccess(pulumi.ComponentResource):
    """A namespace's Google service account, with its rights to buckets and to no others.

    Depend on the component to have them all.
    """

    def __init__(
        self,
        namespace: str,
        access: Access,
        apis: Apis,
        clusters: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:BucketAccess", f"{namespace}-buckets", None, opts)
        project = gcp_config.project or ""
        account = serviceaccount.Account(
            f"{namespace}-workloads",
            account_id=account_id(namespace, pulumi.get_stack()),
            display_name=f"Workloads of namespace {namespace} ({pulumi.get_stack()})",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[apis]),
        )
        for own in access.accounts:
            serviceaccount.IAMMember(
                f"{namespace}-{own}-identity",
                service_account_id=account.name,
                role="roles/iam.workloadIdentityUser",
                member=f"serviceAccount:{project}.svc.id.goog[{namespace}/{own}]",
                # The first cluster creates the project's pool of identities.
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(clusters)),
            )
        for bucket, right in access.buckets.items():
            storage.BucketIAMMember(
                f"{namespace}-{bucket}-{right}",
                bucket=bucket,
                role=ROLES[right],
                member=account.email.apply(lambda email: f"serviceAccount:{email}"),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"email": account.email})


def create_bucket_access(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    apis: Apis,
    clusters: Sequence[pulumi.Resource],
) -> dict[str, list[pulumi.Resource]]:
    """Creates the access of each namespace that needs any, and returns what a workload there has to wait for."""
    access = access_of(workloads, manifests)
    return {namespace: [BucketAccess(namespace, each, apis, clusters)] for namespace, each in access.items()}
