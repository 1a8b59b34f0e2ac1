"""A month of open training: its days, what stands on them, and which months can be looked at."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings import public_months
from courses.offerings.public_listings import PublicFilters
from lms.core import clock
from tests.courses.planning import DAY, ZONE
from tests.factories import Make

NOW = datetime(2030, 5, 2, 1, tzinfo=UTC)
# Half past midnight of 4 May in Beijing is still 3 May in UTC.
FOURTH = datetime(2030, 5, 3, 16, 30, tzinfo=UTC)
MAY = date(2030, 5, 1)


def days_of(month: public_months.Month) -> dict[int, list[tuple[int, int, int]]]:
    return {
        day.day.day: [(entry.offering_id, entry.number, entry.sessions) for entry in day.entries]
        for day in month.days
        if day.entries
    }


def test_open_sessions_stand_on_their_days(db: Session, make: Make, statements: list[str]) -> None:
    two_days = make.offering(starts=[FOURTH, FOURTH + 30 * DAY], capacity=2)
    make.enrolment(two_days)
    make.enrolment(two_days, state=EnrolmentState.CANCELLED)
    elsewhere = make.offering(starts=[FOURTH + DAY], organisation=make.organisation(3))
    make.offering(starts=[FOURTH], by_invitation=True)
    make.offering(starts=[FOURTH], state=OfferingState.DRAFT)
    make.offering(starts=[NOW - DAY, FOURTH])  # it has begun
    db.flush()
    statements.clear()
    with clock.at(NOW):
        month = public_months.read(db, MAY, PublicFilters(), ZONE)
        assert len(statements) == 2
        assert days_of(month) == {4: [(two_days.id, 1, 2)], 5: [(elsewhere.id, 1, 1)]}
        assert month.days[3].entries[0].free == 1
        assert (month.blanks, len(month.days), month.earlier, month.later) == (2, 31, None, date(2030, 6, 1))
        assert public_months.first_with_training(db, PublicFilters(), ZONE) == MAY
        june = public_months.read(db, date(2030, 6, 1), PublicFilters(), ZONE)
        assert days_of(june) == {3: [(two_days.id, 2, 2)]}
        assert june.earlier == MAY
        assert days_of(public_months.read(db, MAY, PublicFilters(district_id=3), ZONE)) == {5: [(elsewhere.id, 1, 1)]}


def test_the_calendar_opens_at_the_first_month_with_a_training(db: Session, make: Make) -> None:
    with clock.at(NOW):
        assert public_months.first_with_training(db, PublicFilters(), ZONE) == MAY
        make.offering(starts=[FOURTH + 90 * DAY])
        assert public_months.first_with_training(db, PublicFilters(), ZONE) == date(2030, 8, 1)
        assert public_months.first_with_training(db, PublicFilters(district_id=9), ZONE) == MAY


def test_a_day_with_many_sessions_says_how_many_more(db: Session, make: Make) -> None:
    for hour in range(7):
        make.offering(starts=[FOURTH + timedelta(hours=hour)], lead=None)
    with clock.at(NOW):
        day = public_months.read(db, MAY, PublicFilters(), ZONE).days[3]
    assert (len(day.entries), day.more) == (5, 2)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2030-06", date(2030, 6, 1)),
        ("2031-10", date(2031, 10, 1)),
        ("2031-11", MAY),
        ("2030-04", MAY),
        *(
            (odd, MAY)
            for odd in (None, "", "2030-13", "2030-5", "99999-01", "0000-01", "2030-06-01", "二〇三〇-06", "\0")
        ),
    ],
)
def test_a_month_out_of_reach_is_the_present_one(text: str | None, month: date) -> None:
    with clock.at(NOW):
        assert public_months.month_of(text, ZONE) == month
