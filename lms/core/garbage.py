"""Garbage collection during long work on many rows.

Python's collector looks for cycles again and again while lists of rows are built, and each time through all objects of the
application: a quarter of the processor time of an import. Rows have no cycles.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_on_demand() -> Iterator[None]:
    """Collect cycles within the block only where it calls `gc.collect`, and then not among what was there before."""
    was_enabled = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
