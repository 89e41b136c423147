"""What every command ends with 2 for."""


class Mistake(Exception):
    """The command cannot do what it was called for; the message says why, and what to write or to do instead."""
