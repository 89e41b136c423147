"""gke-gcloud-auth-plugin for this machine: prints the credentials for the control plane that a client connects to.

    python local/auth_plugin.py HOME

Run by kubectl and every other client as their kubeconfig says; it imports only the standard library, to be quick.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path


def credential(clusters: Path, server: str) -> dict[str, object] | None:
    """The ExecCredential for an API server's URL, or None when none of the control planes serves it."""
    port = server.rstrip("/").rpartition(":")[2]
    for ports in clusters.glob("*/ports.json"):
        # Another cluster may be deleted at this moment.
        with suppress(FileNotFoundError):
            if str(json.loads(ports.read_text())["kubeApiserverPort"]) == port:
                pki = ports.parent / "kwok" / "clusters" / ports.parent.name / "pki"
                return {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "kind": "ExecCredential",
                    "status": {
                        "clientCertificateData": (pki / "admin.crt").read_text(),
                        "clientKeyData": (pki / "admin.key").read_text(),
                    },
                }
    return None


def main() -> int:
    """Prints the credential, or the reason why there is none on stderr."""
    info = os.environ.get("KUBERNETES_EXEC_INFO")
    if not info:
        print(
            "KUBERNETES_EXEC_INFO is not set: this program is for kubeconfigs with provideClusterInfo", file=sys.stderr
        )
        return 1
    server = str(json.loads(info)["spec"]["cluster"]["server"])
    found = credential(Path(sys.argv[1]) / "clusters", server)
    if found is None:
        print(f"no cluster of the local stack is at {server}; run make up", file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
