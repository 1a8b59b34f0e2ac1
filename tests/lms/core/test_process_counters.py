"""Counters in memory: exact among threads, and their windows end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from lms.core import clock, process_counters
from lms.core.process_counters import ProcessStorage


def test_threads_get_each_number_once() -> None:
    storage = ProcessStorage()
    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _number: storage.incr("key", 60), range(2000)))
    assert sorted(counts) == list(range(1, 2001))


def test_a_window_begins_with_the_first_act_and_ends() -> None:
    storage = ProcessStorage()
    start = clock.now()
    storage.incr("key", 60)
    with clock.at(start + timedelta(seconds=59)):
        assert storage.incr("key", 60) == 2
    with clock.at(start + timedelta(seconds=61)):
        assert storage.get("key") == 0
        assert storage.incr("key", 60) == 1


def test_giving_back_goes_down_to_none() -> None:
    storage = ProcessStorage()
    storage.incr("key", 60)
    assert [storage.incr("key", 60, amount=-1) for _ in range(2)] == [0, 0]
    assert storage.incr("key", 60) == 1


def test_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = ProcessStorage()
    storage.incr("first", 60)
    storage.incr("second", 60)
    storage.clear("first")
    assert (storage.get("first"), storage.get("second")) == (0, 1)
    storage.reset()
    assert storage.get("second") == 0
    monkeypatch.setattr(process_counters, "SWEEP_AT", 10)
    storage = ProcessStorage()
    for number in range(100):
        with clock.at(clock.now() + timedelta(minutes=number)):
            storage.incr(f"{number}", 60)
    assert len(storage._counts) < 15
