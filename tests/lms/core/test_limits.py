"""Limits that a rule sets itself."""

import pytest
from flask import Flask
from limits import RateLimitItemPerMinute

from lms.core import limits

TWICE = RateLimitItemPerMinute(2)


def test_an_act_over_the_limit_has_to_wait_and_another_key_has_not(app: Flask) -> None:
    with app.app_context():
        assert [limits.seconds_to_wait(TWICE, "code", "13812345678") for _ in range(2)] == [0, 0]
        assert 1 <= limits.seconds_to_wait(TWICE, "code", "13812345678") <= 60
        assert limits.seconds_to_wait(TWICE, "code", "13912345678") == 0


def _unreachable(*_arguments: object, **_named: object) -> bool:
    raise ConnectionError


def test_while_the_shared_counters_are_unreachable_this_process_counts(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        counters = limits.limiter.limiter
        monkeypatch.setattr(type(counters.storage), "base_exceptions", property(lambda _self: ConnectionError))
        monkeypatch.setattr(counters, "hit", _unreachable)
        assert [limits.seconds_to_wait(TWICE, "away") for _ in range(2)] == [0, 0]
        assert limits.seconds_to_wait(TWICE, "away") > 0


def test_reserving_is_all_or_none_and_can_be_given_back(app: Flask) -> None:
    with app.app_context():
        narrow, wide = limits.Place(RateLimitItemPerMinute(1), ("narrow",)), limits.Place(TWICE, ("wide",))
        assert limits.reserve([wide, narrow]) == 0
        assert 1 <= limits.reserve([wide, narrow]) <= 60
        assert (limits.counted(narrow), limits.counted(wide)) == (1, 1)
        limits.give_back([wide, narrow])
        assert (limits.counted(narrow), limits.counted(wide)) == (0, 0)
        assert limits.reserve([wide, narrow]) == 0


def test_counting_never_refuses(app: Flask) -> None:
    with app.app_context():
        assert [limits.count(limits.Place(TWICE, ("counted",))) for _ in range(4)] == [1, 2, 3, 4]


def test_reserving_goes_on_in_this_process_while_the_shared_counters_are_away(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        storage = limits.limiter.limiter.storage
        monkeypatch.setattr(type(storage), "base_exceptions", property(lambda _self: ConnectionError))
        monkeypatch.setattr(storage, "incr", _unreachable)
        monkeypatch.setattr(storage, "get_expiry", _unreachable)
        place = limits.Place(TWICE, ("reserved away",))
        assert [limits.reserve([place]) for _ in range(2)] == [0, 0]
        assert limits.reserve([place]) > 0
