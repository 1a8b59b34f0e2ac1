"""Limits on signing in: per account and per address, counted without keeping either."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from lms.accounts import passwords, throttle
from lms.accounts.models import User
from lms.core.limits import limiter
from tests.factories import PASSWORD
from tests.lms.accounts.conftest import enter

SignIn = Callable[[User], FlaskClient]


def test_tries_are_throttled_before_the_hash_and_told_how_long(
    client: FlaskClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(throttle.PER_ACCOUNT.amount):
        assert enter(client, person.email or "", "wrong password") == 422
    monkeypatch.setattr(passwords, "matches", None)
    answer = client.post("/sign-in/", data={"identifier": person.email, "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "15 分钟" in answer.text
    assert str(person.email) in answer.text


def test_one_address_is_throttled_over_all_accounts(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_words: False)
    answers = [enter(client, f"user{n}@example.org") for n in range(throttle.PER_ADDRESS.amount + 1)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {422}


def test_the_counters_hold_no_identifier_and_no_address(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "", "wrong password")
    kept = repr(vars(limiter.limiter.storage))
    assert "accounts" in kept
    assert str(person.email) not in kept
    assert "127.0.0.1" not in kept
