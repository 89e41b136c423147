"""The commands that people run: python -m geofed."""
