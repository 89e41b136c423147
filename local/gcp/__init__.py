"""A stand-in for Google Cloud's plugin: clusters are control planes, node pools nodes; the rest is only recorded."""
