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


def _unreachable(*_arguments: object) -> bool:
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
