"""The certificates that a course demands: one row suffices, and the grace ends at the end of its last month."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.enrolment import prerequisites
from courses.enrolment.held_certificates import Held
from courses.enrolment.prerequisites import HoldingStanding, Outcome
from courses.models.catalogue import Course, CoursePrerequisite
from lms.core import calendar_months

DAY = date(2026, 9, 1)
dates = st.dates(date(2020, 1, 1), date(2040, 12, 31))
lapses = st.none() | st.integers(0, 60)
ends = st.none() | dates
held_lists = st.lists(st.builds(Held, st.just("N"), st.integers(1, 4), ends), max_size=4).map(
    lambda rows: sorted(rows, key=lambda row: row.valid_until or date.max, reverse=True)
)
demand_lists = st.dictionaries(st.integers(1, 3), lapses, min_size=1, max_size=3)


def demand(certificate_type: int, lapsed_months: int | None, since: date = DAY) -> CoursePrerequisite:
    return CoursePrerequisite(
        certificate_type=certificate_type, lapsed_months=lapsed_months, source="市红十字会 2026", since=since
    )


@pytest.mark.parametrize(
    ("valid_until", "months", "last"),
    [
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 2, 28), 1, date(2026, 3, 31)),
        (date(2024, 2, 28), 12, date(2025, 2, 28)),
        (date(2026, 1, 30), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), None, None),
        (None, 0, None),
    ],
)
def test_the_last_day_on_which_a_certificate_may_be_renewed(
    valid_until: date | None, months: int | None, last: date | None
) -> None:
    assert prerequisites.last_renewal_day(valid_until, months) == last


@given(dates, st.integers(0, 60), st.integers(-40, 4000))
def test_the_grace_has_every_day_of_its_months_and_not_one_more(end: date, months: int, later: int) -> None:
    day = end + timedelta(days=later)
    met = prerequisites.judge([demand(1, months)], [Held("N", 1, end)], day).met
    first_lapsed = end + timedelta(days=1)
    assert met == (day <= end or (months > 0 and day <= calendar_months.last_day(first_lapsed, months)))
    if months and 0 < later <= 28 * months:
        assert met
    if later > 31 * months:
        assert not met


@given(demand_lists, held_lists, dates)
def test_any_row_that_is_met_suffices_and_nothing_else_does(
    demanded: dict[int, int | None], held: list[Held], day: date
) -> None:
    standing = prerequisites.judge([demand(*row) for row in demanded.items()], held, day)
    each = [
        certificate
        for certificate in held
        if certificate.certificate_type in demanded
        and prerequisites.judge(
            [demand(certificate.certificate_type, demanded[certificate.certificate_type])], [certificate], day
        ).met
    ]
    assert standing.met == bool(each)
    known = any(certificate.certificate_type in demanded for certificate in held)
    assert standing.outcome == (Outcome.HELD if each else Outcome.LAPSED if known else Outcome.NOTHING)


def test_a_type_that_may_have_lapsed_helps_where_a_later_one_of_another_type_does_not() -> None:
    held = [Held("LATER", 1, DAY - timedelta(days=1)), Held("EARLIER", 2, DAY - timedelta(days=200))]
    standing = prerequisites.judge([demand(1, 0), demand(2, None)], held, DAY)
    assert standing == HoldingStanding(Outcome.HELD, held[1])


def test_rows_hold_for_classes_that_end_on_their_first_day_or_later() -> None:
    course = Course(prerequisites=[demand(1, 0, DAY), demand(2, 0, DAY + timedelta(days=1))])
    assert [row.certificate_type for row in prerequisites.in_force(course, DAY)] == [1]
    assert prerequisites.in_force(course, DAY - timedelta(days=1)) == []
