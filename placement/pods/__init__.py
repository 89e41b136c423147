"""Which pods a workload has, and whether they run whole, divided or duplicated."""
