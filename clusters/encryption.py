"""The key that encrypts a cluster's secrets in etcd."""

import pulumi
from pulumi_gcp import container, kms

from clusters.apis import Apis
from clusters.spec import OWN_KEY, Cluster

_ROTATED = "7776000s"  # 90 days


class SecretsKey(pulumi.ComponentResource):
    """A cluster's key, its own or the one that its settings name, with GKE's right to use it; none if they name none.

    Depend on the component to wait for the key and that right.
    """

    encryption: container.ClusterDatabaseEncryptionArgsDict | None = None

    def __init__(self, name: str, spec: Cluster, apis: Apis, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("geo-federation:clusters:SecretsKey", f"{name}-secrets", None, opts)
        if spec.encryption_key:
            key = self._own(name, spec, apis) if spec.encryption_key == OWN_KEY else spec.encryption_key
            kms.CryptoKeyIAMMember(
                f"{name}-secrets-gke",
                crypto_key_id=key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=apis.gke_agent,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[apis]),
            )
            self.encryption = {"state": "ENCRYPTED", "key_name": key}
        self.register_outputs({})

    def _own(self, name: str, spec: Cluster, apis: Apis) -> pulumi.Output[str]:
        # Google Cloud never frees the name of either, so that each must have a random part.
        ring = kms.KeyRing(
            f"{name}-secrets", location=spec.region, opts=pulumi.ResourceOptions(parent=self, depends_on=[apis])
        )
        key = kms.CryptoKey(
            f"{name}-secrets",
            key_ring=ring.id,
            rotation_period=_ROTATED,
            # Without the key, nobody can read the secrets again.
            opts=pulumi.ResourceOptions(parent=self, protect=spec.deletion_protection),
        )
        return key.id
