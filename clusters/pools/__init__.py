"""The settings of node pools, and what must hold between them."""
