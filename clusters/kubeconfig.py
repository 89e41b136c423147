"""A cluster's kubeconfig, as `gcloud container clusters get-credentials` would write it."""

import yaml


def is_dns_endpoint(endpoint: str) -> bool:
    """Whether an endpoint is GKE's DNS name, whose certificate is not signed by the cluster's own authority."""
    return endpoint.endswith(".gke.goog")


def kubeconfig(name: str, endpoint: str, certificate_authority: str) -> str:
    """Returns a kubeconfig whose user signs in through gke-gcloud-auth-plugin.

    `endpoint` is a host, with a port where it is not 443; `certificate_authority` is PEM in base64, as GKE returns it.
    """
    cluster = {"server": f"https://{endpoint}"}
    if not is_dns_endpoint(endpoint):
        cluster["certificate-authority-data"] = certificate_authority
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [
            {
                "name": name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "gke-gcloud-auth-plugin",
                        "installHint": "gcloud components install gke-gcloud-auth-plugin",
                        "provideClusterInfo": True,
                        "interactiveMode": "IfAvailable",
                    }
                },
            }
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)
