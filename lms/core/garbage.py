"""Garbage collection during long work on many rows.

Python's collector looks for cycles again and again while lists of rows are built, and each time through all objects of the
application: a quarter of the processor time of an import. Rows have no cycles.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_on_demand() -> Iterator[None]:
    """Collect cycles within the block only where it calls `gc.collect`, and then not among what was there before.

    Where the process froze its modules at its start (`wsgi`), they stay frozen: to walk over them once more at the end of a
    command took a second.
    """
    was_enabled, freezes = gc.isenabled(), not gc.get_freeze_count()
    if freezes:
        gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if freezes:
            gc.unfreeze()
        if was_enabled:
            gc.enable()
