"""Helps to write a stack's file: its schema, its reference, and a new file to start from."""
