"""A lock that allows one run at a time on an instance folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lms.embedded.failure import StartError
from lms.embedded.place import Place


@contextmanager
def held(where: Place) -> Iterator[None]:
    """Hold the instance folder; the system lets go of it however the run ends. Raises StartError."""
    path = where.instance / "up.lock"
    try:
        file = path.open("a+")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise StartError(f"it runs already on {where.instance} ({holder}); stop that first") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}, {where.url}\n")
        file.flush()
        yield
