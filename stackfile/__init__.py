"""What helps to write a stack's file: its schema, its reference, a new one to start from, and the lines of mistakes."""
