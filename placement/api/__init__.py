"""What Kubernetes says of its kinds: names, versions, fields, pods, and what its API servers refuse."""
