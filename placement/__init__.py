"""Decides where workloads are placed, and why: pure functions of the settings, the manifests and measured facts.

Nothing here reads a cluster, a cloud or the Pulumi state, or makes a resource: federation/ does.
"""
