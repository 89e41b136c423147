"""Facts about Google Cloud, in tables with their sources: regions, machine types, and what a node has left for pods."""
