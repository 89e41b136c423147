"""How many examples the property tests try: few in `make unit`, many in `make test`."""

from hypothesis import HealthCheck, settings

# How fast a machine is, and how many examples a test passes over, is no fault of what it tests.
_NO_FAULT = (HealthCheck.too_slow, HealthCheck.filter_too_much)

settings.register_profile("quick", max_examples=30, deadline=None, suppress_health_check=_NO_FAULT)
settings.register_profile("thorough", max_examples=250, deadline=None, suppress_health_check=_NO_FAULT)
settings.load_profile("quick")
