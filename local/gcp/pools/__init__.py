"""Node pools of the stand-in for Google Cloud: what GKE refuses of them, and the nodes that they get."""
