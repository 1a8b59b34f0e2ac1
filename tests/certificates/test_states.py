"""States of certificates: the order of the rule, and the same rule in SQL."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import states
from certificates.models import Certificate
from certificates.states import ISSUED, State, state_of
from lms.core import clock

FIRST, LAST = date(2026, 3, 5), date(2029, 3, 4)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (FIRST - DAY, State.NOT_YET_VALID),
        (FIRST, State.VALID),
        (LAST, State.VALID),
        (LAST + DAY, State.EXPIRED),
    ],
)
def test_revoked_comes_before_superseded_and_both_before_the_days(today: date, state: State) -> None:
    def at(*, revoked: bool = False, superseded: bool = False) -> State:
        return state_of(revoked=revoked, superseded=superseded, issued_on=FIRST, valid_until=LAST, today=today)

    assert at() is state
    assert at(superseded=True) is State.SUPERSEDED
    assert at(revoked=True) is State.REVOKED
    assert at(revoked=True, superseded=True) is State.REVOKED


def test_a_certificate_without_a_last_day_does_not_expire() -> None:
    state = state_of(revoked=False, superseded=False, issued_on=FIRST, valid_until=None, today=date(2999, 1, 1))
    assert state is State.VALID


def test_sql_gives_each_certificate_the_state_that_python_gives(db: Session, issue: Callable[..., Certificate]) -> None:
    valid, lifelong, revoked, superseded, both = (issue(name) for name in ("甲", "乙", "丙", "丁", "戊"))
    lifelong.valid_until = None
    for certificate in (revoked, both):
        certificate.revoked_at, certificate.revoke_reason = clock.now(), "误发"
    for certificate in (superseded, both):
        certificate.superseded_by_id = valid.id
    db.flush()
    first, last = valid.issued_on, valid.valid_until
    assert last is not None
    for today in (first - DAY, first, last, last + DAY):
        for state in ISSUED:
            ids = set(db.scalars(select(Certificate.id).where(states.sql_condition(state, today))))
            certificates = db.scalars(select(Certificate))
            assert ids == {row.id for row in certificates if states.of_certificate(row, today) is state}


def test_every_state_has_a_label_and_each_issued_state_a_colour() -> None:
    assert set(states.STATE_LABELS) == set(State)
    assert set(states.STATE_COLOURS) == set(ISSUED)
