"""`python -m benchmarks.signing_in`: whether the time of an answer tells who has an account, and what a guesser can try.

First, requests for password links and wrong passwords: for an account, for nobody, for a disabled account and the like, in
turn, in wall time and processor time. Then 10,000 guesses at once, and more over six hours, by several kinds of attackers.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median, quantiles

from flask import Flask
from sqlalchemy.orm import Session

from benchmarks.stage import stage
from lms.accounts import passwords, throttle
from lms.accounts.models import RoleGrant, User
from lms.accounts.throttle import TooManyTries
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.limits import limiter
from lms.core.scope import Role

REQUESTS = 200
WARM_UP = 20
GUESSES = 10_000
QUARTERS = 24  # of an hour
IN_A_QUARTER = 1000
PASSWORD = "correct horse battery"  # of accounts that are made and thrown away here


def make_accounts(app: Flask) -> dict[str, str]:
    """Kinds of contacts, each with one that is typed."""
    kinds = {
        "proven e-mail address": {"email": "known@example.org", "proven": True},
        "proven phone, no e-mail": {"phone": "+8613800000001", "proven": True},
        "claimed e-mail address": {"email": "claimed@example.org"},
        "disabled account": {"email": "disabled@example.org", "proven": True, "disabled": True},
        "account without password": {"email": "invited@example.org", "proven": True, "password": False},
        "nobody's e-mail address": {},
    }
    typed = {}
    with Session(app.extensions["engine"]) as db:
        for kind, facts in kinds.items():
            contact = str(facts.get("phone") or facts.get("email") or "nobody@example.org")
            typed[kind] = contact
            if not facts:
                continue
            user = User(name="测量", email=facts.get("email"), language="zh")
            user.phone = facts.get("phone")  # type: ignore[assignment]
            user.password_hash = passwords.seal(PASSWORD) if facts.get("password", True) else None
            user.disabled_at = clock.now() if facts.get("disabled") else None
            user.grants = [RoleGrant(role=Role.INSTRUCTOR)]
            if facts.get("proven"):
                user.set_proof(ContactKind.PHONE if user.phone_index else ContactKind.EMAIL, ContactProof.STAFF)
            db.add(user)
        db.commit()
    return typed


def measure(app: Flask, address: str, typed: dict[str, str], fields: dict[str, str]) -> None:
    """Send the form for each contact in turn, and print what each took."""
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in typed}
    for number in range(REQUESTS + WARM_UP):
        for kind, contact in typed.items():
            limiter.reset()
            browser = app.test_client()
            began, processor = time.perf_counter(), time.process_time()
            answer = browser.post(address, data={"identifier": contact, **fields})
            ended = (time.perf_counter() - began, time.process_time() - processor)
            if answer.status_code not in {200, 422}:
                raise RuntimeError(f"{kind}: {answer.status_code}")
            if number >= WARM_UP:
                taken[kind].append((1000 * ended[0], 1000 * ended[1]))
    print(f"\n{address}, {REQUESTS} requests each, milliseconds")
    print(f"{'':<28}{'wall p5':>9}{'median':>9}{'p95':>9}{'processor p5':>14}{'median':>9}{'p95':>9}")
    for kind, times in taken.items():
        columns = []
        for values in ([wall for wall, _ in times], [processor for _, processor in times]):
            parts = quantiles(values, n=20)
            columns += [parts[0], median(values), parts[-1]]
        print(
            f"{kind:<28}{columns[0]:9.2f}{columns[1]:9.2f}{columns[2]:9.2f}{columns[3]:14.2f}{columns[4]:9.2f}{columns[5]:9.2f}"
        )


def guesses_that_pass(reserve: Callable[[int], object], guesses: int, quarters: int) -> int:
    """How many of so many guesses in each of so many quarters of an hour reach the password's hash."""
    limiter.reset()
    passed = 0
    start = clock.now()
    for quarter in range(quarters):
        with clock.at(start + quarter * timedelta(minutes=15, seconds=1)):
            for number in range(guesses):
                try:
                    reserve(quarter * guesses + number)
                except TooManyTries:
                    continue
                passed += 1
    return passed


def guess() -> None:
    """Print what attackers can try."""
    attackers: dict[str, Callable[[int], object]] = {
        "one account, one address": lambda _number: throttle.reserve_try("li@example.org", "203.0.113.5"),
        "one account, an address for each guess": lambda number: throttle.reserve_try(
            "li@example.org", f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        ),
        "an account for each guess, one address": lambda number: throttle.reserve_try(
            f"user{number}@example.org", "203.0.113.5"
        ),
        "an account for each guess, one IPv6 network": lambda number: throttle.reserve_try(
            f"user{number}@example.org", f"2001:db8:0:1::{number:x}"
        ),
        "a stolen known browser": lambda _number: throttle.reserve_try("li@example.org", "203.0.113.5", browser=1),
    }
    print(
        f"\nof {GUESSES} guesses at once, and of {IN_A_QUARTER} in each of {QUARTERS} quarters of an hour, are compared"
    )
    print(f"{'':<46}{'at once':>9}{'6 hours':>9}")
    for name, reserve in attackers.items():
        at_once = guesses_that_pass(reserve, GUESSES, 1)
        print(f"{name:<46}{at_once:9}{guesses_that_pass(reserve, IN_A_QUARTER, QUARTERS):9}")


def main() -> None:
    """Set the stage and measure."""
    with stage() as on:
        on.app.config["WTF_CSRF_ENABLED"] = False
        typed = make_accounts(on.app)
        measure(on.app, "/sign-in/forgotten", typed, {})
        measure(on.app, "/sign-in/", typed, {"password": "not the password"})
        guess()


if __name__ == "__main__":
    main()
