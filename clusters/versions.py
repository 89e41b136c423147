"""Versions of Kubernetes, of GKE and of operators, as settings and tables write them."""

import re


def is_older(version: str, other: str) -> bool:
    """Whether a version, which can leave out its last parts, is certainly older than another."""
    pairs = zip(re.findall(r"[0-9]+", version), re.findall(r"[0-9]+", other), strict=False)
    return next((int(one) < int(two) for one, two in pairs if one != two), False)
