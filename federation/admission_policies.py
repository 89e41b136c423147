"""Admission policies in a cluster, each with the binding that puts it into force."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

_API = "admissionregistration.k8s.io/v1"


def create_policy(name: str, called: str, spec: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Creates a mutating policy of this spec, and returns what puts it into force.

    `name` is that of the resource, and `called` what it is called in the cluster.
    """
    # The SDK has no class for the kind.
    policy = kubernetes.apiextensions.CustomResource(
        name, api_version=_API, kind="MutatingAdmissionPolicy", metadata={"name": called}, spec=spec, opts=opts
    )
    return kubernetes.apiextensions.CustomResource(
        f"{name}-binding",
        api_version=_API,
        kind="MutatingAdmissionPolicyBinding",
        metadata={"name": called},
        spec={"policyName": called},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
    )
