"""Misses are counted and refused; nothing else is."""

import pytest
from flask import Flask
from limits import RateLimitItemPerMinute

from lms.core import guesses
from lms.core.guesses import TooManyGuesses
from lms.core.limits import limiter

TWICE = RateLimitItemPerMinute(2, 10)


def test_misses_are_refused_beyond_the_limit_of_whoever_guesses(app: Flask) -> None:
    with app.app_context():
        for _ in range(2):
            guesses.count_miss("ticket", TWICE, "203.0.113.5")
        with pytest.raises(TooManyGuesses) as refusal:
            guesses.count_miss("ticket", TWICE, "203.0.113.5")
        assert refusal.value.status == 429
        guesses.count_miss("ticket", TWICE, "203.0.113.6")
        guesses.count_miss("code", TWICE, "203.0.113.5")
        assert "203.0.113" not in repr(vars(limiter.limiter.storage))
