"""The settings of compute classes and of auto-provisioning, their rules, and the machines that follow from them."""
