"""The nodes that a cluster's pools can have, as the scheduler sees them."""
