"""Limits of contact checks: enough for a school, too little for whoever guesses or floods a phone."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from lms.accounts import contact_checks, contact_limits
from lms.core import clock
from lms.core.errors import DomainError
from tests.lms.accounts.test_contact_checks import code_in, start, wrong


def test_a_contact_gets_five_codes_an_hour_and_ten_a_day(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    sent = []
    for minutes in range(0, 60 * 24, 2):
        monkeypatch.setattr(clock, "now", lambda at=now + timedelta(minutes=minutes): at)
        with suppress(DomainError):
            start(db, subject=f"thing:{minutes}")
            sent.append(minutes)
    assert sent == [0, 2, 4, 6, 8, 60, 62, 64, 66, 68]


def test_ten_thousand_guesses_get_nowhere(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guesser who starts check after check has thirty tries at a contact in a day, whatever the address."""
    now = clock.now()
    compared = 0
    ref = ""
    for guess in range(10_000):
        monkeypatch.setattr(clock, "now", lambda at=now + timedelta(seconds=8 * guess): at)
        if guess % 10 == 0:
            with suppress(DomainError):
                ref = contact_checks.ref_of(start(db, subject=f"thing:{guess}"))
                code = code_in(db)
        with suppress(DomainError):
            compared += not contact_checks.confirm_code(db, ref, wrong(code)).proven
    assert compared == contact_limits.WRONG_PER_CONTACT[1]


def test_an_address_may_send_for_a_school_but_not_for_ever(db: Session, app: object) -> None:
    for number in range(300):
        contact_limits.demand_sending(db, f"+86139{number:08d}", "192.0.2.7")

    def go_on() -> None:
        for number in range(1_000):
            contact_limits.demand_sending(db, f"+86137{number:08d}", "192.0.2.7")

    with pytest.raises(DomainError, match="this network"):
        go_on()
