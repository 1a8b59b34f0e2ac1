"""Garbage collection is put off within a block, and is as before after it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from lms.core.garbage import collected_on_demand


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Nothing is frozen, as in a process that has frozen nothing; the tests' process has (`tests/conftest.py`)."""
    gc.unfreeze()
    yield
    gc.freeze()


class Cycle:
    """An object that refers to itself, so that only the collector finds it."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_go_when_the_block_asks() -> None:
    with collected_on_demand():
        assert not gc.isenabled()
        gone = weakref.ref(Cycle())
        gc.collect()
        assert gone() is None
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_an_error_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(RuntimeError), collected_on_demand():
        raise RuntimeError
    assert gc.isenabled()


def test_what_was_frozen_before_stays_so() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collected_on_demand():
            pass
        assert gc.get_freeze_count() > frozen / 2  # some of them ended meanwhile
    finally:
        gc.unfreeze()
