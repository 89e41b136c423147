"""Decides which clusters a placement takes, what each of them gets, and why."""
