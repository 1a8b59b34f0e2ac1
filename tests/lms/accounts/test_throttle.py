"""Limits on guessing passwords: failures alone count, guesses are stopped, and nobody shuts the owner out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import known_browsers, password_links, passwords, throttle
from lms.accounts.models import User
from lms.accounts.throttle import TooManyTries
from lms.core import crypto
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.conftest import enter
from tests.lms.accounts.test_password_links import NEW, SITE

GUESSES = 10_000
ELSEWHERE = "198.51.100.7"


def attempt(browser: FlaskClient, identifier: str, password: str, address: str = "203.0.113.5") -> int:
    answer = browser.post(
        "/sign-in/",
        data={"identifier": identifier, "password": password},
        environ_base={"REMOTE_ADDR": address},
    )
    return answer.status_code


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared with a hash; comparing costs nothing, so that a test can guess often."""
    compared: list[str] = []

    def matches(sealed: str | None, password: str) -> bool:
        compared.append(password)
        return sealed is not None and password == PASSWORD

    monkeypatch.setattr(passwords, "matches", matches)
    return compared


def stopped_after(tries: int, reserve: Callable[[int], object]) -> int:
    """How many of so many guesses pass."""
    passed = 0
    for number in range(tries):
        try:
            reserve(number)
        except TooManyTries:
            continue
        passed += 1
    return passed


def test_right_passwords_never_count(app: Flask, person: User, hashed: list[str]) -> None:
    """Ten right ones and more within a quarter of an hour, from a new browser each time, are all let in."""
    for _ in range(throttle.PER_ACCOUNT_AND_ADDRESS.amount * 2):
        assert attempt(app.test_client(), person.email or "", PASSWORD) == 302
    assert len(hashed) == throttle.PER_ACCOUNT_AND_ADDRESS.amount * 2


def test_tries_are_throttled_before_the_hash_and_told_how_long(
    client: FlaskClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(throttle.PER_ACCOUNT_AND_ADDRESS.amount):
        assert enter(client, person.email or "", "wrong password") == 422
    monkeypatch.setattr(passwords, "matches", None)
    answer = client.post("/sign-in/", data={"identifier": person.email, "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "15 分钟" in answer.text
    assert "发送链接" in answer.text
    assert str(person.email) in answer.text


@pytest.mark.parametrize("wrong", [10, 50])
def test_wrong_passwords_of_anybody_leave_the_owner_in(app: Flask, person: User, hashed: list[str], wrong: int) -> None:
    own = app.test_client()
    assert attempt(own, person.email or "", PASSWORD, ELSEWHERE) == 302
    stranger = app.test_client()
    for number in range(wrong):
        attempt(stranger, person.email or "", "guess", f"203.0.113.{number // 10}")
    for address in (ELSEWHERE, "203.0.113.0"):  # at home, and in the network from which the guesses came
        own.post("/account/sign-out")
        assert attempt(own, person.email or "", PASSWORD, address) == 302
    assert attempt(app.test_client(), person.email or "", PASSWORD, ELSEWHERE) == 302
    assert attempt(app.test_client(), person.email or "", PASSWORD, "203.0.113.0") == 429


def test_a_known_browser_may_mistype_as_often_as_anybody_and_no_more(
    app: Flask, person: User, hashed: list[str]
) -> None:
    """A stolen phone gets the allowance of its own and that of an unknown browser, and shuts out neither."""
    own, stolen = app.test_client(), app.test_client()
    for browser in (own, stolen):
        attempt(browser, person.email or "", PASSWORD)
        browser.post("/account/sign-out")
    answers = [attempt(stolen, person.email or "", "guess") for _ in range(30)]
    assert answers.count(422) == throttle.PER_BROWSER.amount + throttle.PER_ACCOUNT_AND_ADDRESS.amount
    assert answers[-1] == 429
    assert attempt(own, person.email or "", PASSWORD) == 302


def test_whoever_is_shut_out_gets_in_by_a_link(app: Flask, db: Session, person: User, hashed: list[str]) -> None:
    browser = app.test_client()
    for _ in range(11):
        attempt(app.test_client(), person.email or "", "guess")
    assert attempt(browser, person.email or "", PASSWORD) == 429
    link = password_links.make(db, person, SITE, lives=password_links.RESET).removeprefix(SITE.public_url)
    db.commit()
    assert browser.post(link, data={"password": NEW}).status_code == 302
    assert attempt(browser, person.email or "", PASSWORD) == 302  # the fixture knows one password


def test_one_address_guesses_at_one_account(app: Flask) -> None:
    passed = stopped_after(GUESSES, lambda _number: throttle.reserve_try("li@example.org", "203.0.113.5"))
    assert passed == throttle.PER_ACCOUNT_AND_ADDRESS.amount


def test_many_addresses_guess_at_one_account(app: Flask) -> None:
    passed = stopped_after(
        GUESSES, lambda number: throttle.reserve_try("li@example.org", f"10.{number // 250}.{number % 250}.1")
    )
    assert passed == throttle.PER_ACCOUNT.amount


def test_one_address_sprays_many_accounts(app: Flask) -> None:
    passed = stopped_after(GUESSES, lambda number: throttle.reserve_try(f"user{number}@example.org", "203.0.113.5"))
    assert passed == throttle.PER_ADDRESS.amount


def test_the_addresses_of_one_household_count_as_one(app: Flask) -> None:
    passed = stopped_after(
        GUESSES, lambda number: throttle.reserve_try(f"user{number}@example.org", f"2001:db8:0:1::{number:x}")
    )
    assert passed == throttle.PER_ADDRESS.amount
    throttle.reserve_try("li@example.org", "2001:db8:0:2::1")


def test_one_address_is_throttled_over_all_accounts(client: FlaskClient, hashed: list[str]) -> None:
    answers = [enter(client, f"user{n}@example.org", "guess") for n in range(throttle.PER_ADDRESS.amount + 1)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {422}


@pytest.mark.parametrize("cookies", ["thrown away", "forged", "of another account"])
def test_cookies_win_a_guesser_nothing(app: Flask, db: Session, person: User, hashed: list[str], cookies: str) -> None:
    own_account = Make(db).user(Role.TRAINEE)
    replayed = known_browsers.recognise(db, own_account, None, "").token
    db.commit()
    for number in range(60):
        browser = app.test_client()
        value = crypto.token() + crypto.token() if cookies == "forged" else replayed
        if cookies != "thrown away":
            browser.set_cookie(known_browsers.COOKIE, value)
        attempt(browser, person.email or "", f"guess {number}")
    assert len(hashed) == throttle.PER_ACCOUNT_AND_ADDRESS.amount


def test_simultaneous_guesses_do_not_slip_through(app: Flask) -> None:
    start = Barrier(30)

    def guess(_number: int) -> bool:
        start.wait()
        try:
            throttle.reserve_try("li@example.org", "203.0.113.5")
        except TooManyTries:
            return False
        return True

    with ThreadPoolExecutor(30) as pool:
        passed = sum(pool.map(guess, range(30)))
    assert passed <= throttle.PER_ACCOUNT_AND_ADDRESS.amount


def test_a_try_that_one_limit_refuses_takes_nothing_from_the_others(app: Flask) -> None:
    """Whoever is shut out at one address cannot use up the account's allowance from there."""
    stopped_after(1000, lambda _number: throttle.reserve_try("li@example.org", "203.0.113.5"))
    passed = stopped_after(200, lambda number: throttle.reserve_try("li@example.org", f"10.0.{number}.1"))
    assert passed == throttle.PER_ACCOUNT.amount - throttle.PER_ACCOUNT_AND_ADDRESS.amount


def test_nobody_uses_up_the_links_of_another_address(app: Flask) -> None:
    for _ in range(throttle.LINKS_PER_ACCOUNT.amount):
        throttle.count_link("li@example.org", "203.0.113.5")
    with pytest.raises(TooManyTries):
        throttle.count_link("li@example.org", "203.0.113.5")
    throttle.count_link("li@example.org", ELSEWHERE)


def test_the_counters_hold_no_identifier_and_no_address(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "", "wrong password")
    kept = repr(vars(limiter.limiter.storage))
    assert "accounts" in kept
    assert str(person.email) not in kept
    assert "127.0.0.1" not in kept
