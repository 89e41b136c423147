"""The storage classes of a cluster: disks for checkpoints, and file servers for models that many pods read."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

CHECKPOINTS, MODELS = "checkpoints", "models"


def create_storage_classes(
    name: str, files: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> list[kubernetes.storage.v1.StorageClass]:
    """Makes both, with the options' provider. Their volumes are kept when a claim is deleted.

    `files` are the parameters that say where in the network file servers are.
    """
    checkpoints = kubernetes.storage.v1.StorageClass(
        f"{name}-{CHECKPOINTS}",
        metadata={"name": CHECKPOINTS},
        provisioner="pd.csi.storage.gke.io",
        parameters={"type": "pd-ssd"},
        # The disk is made in the zone of the pod, which has the GPU.
        volume_binding_mode="WaitForFirstConsumer",
        reclaim_policy="Retain",
        allow_volume_expansion=True,
        opts=opts,
    )
    models = kubernetes.storage.v1.StorageClass(
        f"{name}-{MODELS}",
        metadata={"name": MODELS},
        provisioner="filestore.csi.storage.gke.io",
        parameters={"tier": "zonal", **files},
        volume_binding_mode="WaitForFirstConsumer",
        reclaim_policy="Retain",
        allow_volume_expansion=True,
        opts=opts,
    )
    return [checkpoints, models]
