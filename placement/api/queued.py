"""Whether pods wait for a ProvisioningRequest, which alone adds nodes to a queued pool of GKE.

It does not know which pools are queued; whether a pod fits on one is judged in judge.py.
"""

from collections.abc import Mapping
from typing import Any

from placement.api.lookup import at

QUEUE = "kueue.x-k8s.io/queue-name"
"""The label by which Kueue queues an object, and makes the ProvisioningRequests of its pods.

Source: QueueLabel of Kueue 0.17.0 (pkg/controller/constants).
"""
CONSUMES = "autoscaling.x-k8s.io/consume-provisioning-request"
"""The annotation by which a pod names the ProvisioningRequest that it waits for."""
_OLDER = "cluster-autoscaler.kubernetes.io/consume-provisioning-request"


def is_queued(body: Mapping[str, Any], template: Any) -> bool:
    """Whether the pods of this template, in an object, wait for a ProvisioningRequest.

    GKE lets such pods onto the nodes. Sources, read in November 2026: GKE's page "Run a large-scale workload with
    flex-start with queued provisioning", whose Jobs do not tolerate the taint of queued pools; the annotations of the
    cluster autoscaler, of which Kueue wrote the older one until 0.13.
    """
    labels = at(body, "metadata", "labels", QUEUE) or at(template, "metadata", "labels", QUEUE)
    # Where an operator makes the pods, such as KServe, their annotations are beside what it makes them from.
    annotations = (at(template, "metadata", "annotations"), at(template, "annotations"))
    return bool(labels) or any(at(found, each) for found in annotations for each in (CONSUMES, _OLDER))
