"""The storage classes of a cluster: disks for checkpoints, and file servers for models that many pods read."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.pools.volumes import checkpoint_classes
from clusters.spec import Cluster

MODELS = "models"


def create_storage_classes(
    name: str, spec: Cluster, files: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> list[kubernetes.storage.v1.StorageClass]:
    """Makes them, with the options' provider. Their volumes are kept when a claim is deleted.

    `files` are the parameters that say where in the network file servers are.
    """
    checkpoints = [
        kubernetes.storage.v1.StorageClass(
            f"{name}-{each}",
            metadata={"name": each},
            provisioner="pd.csi.storage.gke.io",
            parameters={"type": disk},
            # The disk is made in the zone of the pod, which has the GPU.
            volume_binding_mode="WaitForFirstConsumer",
            reclaim_policy="Retain",
            allow_volume_expansion=True,
            opts=opts,
        )
        for each, disk in checkpoint_classes(spec.node_pools).items()
    ]
    models = kubernetes.storage.v1.StorageClass(
        f"{name}-{MODELS}",
        metadata={"name": MODELS},
        provisioner="filestore.csi.storage.gke.io",
        # By default, Filestore would take a range that another cluster may need later.
        parameters={"tier": "zonal", **files},
        volume_binding_mode="WaitForFirstConsumer",
        reclaim_policy="Retain",
        allow_volume_expansion=True,
        opts=opts,
    )
    return [*checkpoints, models]
