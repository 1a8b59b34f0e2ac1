"""The one error of this package: the start cannot go on, and one line says why."""


class StartError(Exception):
    """The system cannot start; the message is one line that names the cause and, where known, the cure."""
