"""Whether pods fit on nodes, how many of them, and what is left beside others."""
