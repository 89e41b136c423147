"""The former name of `outputs_by_name`, until drain.py uses that."""

from federation.outputs_by_name import outputs_by_name as gathered

__all__ = ["gathered"]
