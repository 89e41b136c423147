"""Tests that share one local stack, whose members have every operator, until the last of them has ended."""
