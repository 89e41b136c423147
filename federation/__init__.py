"""One KubeFed federation of the clusters, and the workloads that it places."""
