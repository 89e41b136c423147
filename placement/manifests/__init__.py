"""Reads the files of a workload into objects, each with the line that it comes from."""
