"""The Google service account that a cluster's nodes run as."""

import hashlib

import pulumi
from pulumi_gcp import projects, serviceaccount

from clusters.apis import Apis

# What a node needs to join its cluster, log, report metrics and pull images; workloads get access through Workload
# Identity, not from the node.
ROLES = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")

_LONGEST = 30  # characters in an account id


def account_id(cluster: str, stack: str) -> str:
    """An account id that is unique to a cluster of a stack and within Google Cloud's 6 to 30 characters."""
    digest = hashlib.sha256(f"{stack}/{cluster}".encode()).hexdigest()[:6]
    return f"{cluster[: _LONGEST - len(digest) - 1].rstrip('-')}-{digest}"


class NodeAccount(pulumi.ComponentResource):
    """A service account of the cluster's own with the fewest roles, granted one by one so that other grants are kept.

    Depend on the component, not on the account, to wait for the roles too.
    """

    def __init__(
        self, name: str, cluster: str, project: str, apis: Apis, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("geo-federation:clusters:NodeAccount", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, depends_on=[apis])
        account = serviceaccount.Account(
            f"{name}-account",
            account_id=account_id(cluster, pulumi.get_stack()),
            display_name=f"Nodes of {cluster} ({pulumi.get_stack()})",
            opts=child,
        )
        for role in ROLES:
            projects.IAMMember(
                f"{name}-{role.rpartition('.')[2]}",
                project=project,
                role=role,
                member=account.email.apply(lambda email: f"serviceAccount:{email}"),
                opts=child,
            )
        self.email = account.email
        self.register_outputs({"email": self.email})
