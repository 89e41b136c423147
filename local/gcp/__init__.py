"""A stand-in for Google Cloud's plugin: clusters are real control planes, node pools their nodes; the rest is kept."""
