"""Autoscalers of a workload: what they target, and the minimum and maximum that each cluster gets."""
