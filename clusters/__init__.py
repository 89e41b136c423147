"""GKE clusters from one shared factory."""
