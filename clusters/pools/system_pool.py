"""The pool that every cluster has: small machines for the system's own pods and, on the host, for KubeFed."""

from clusters.pools.spec import NodePool

SYSTEM_POOL = "system"
SYSTEM = NodePool(machine_type="e2-standard-4", min_nodes=1, max_nodes=3)
