"""The staff's list of offerings: its order, its figures, its filters and its scope."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings import listings
from courses.offerings.listings import OfferingFilters, StateFilter, orders_of
from lms.core import clock
from lms.core.paging import PAGE_SIZE, Count, Place
from lms.core.scope import EVERYTHING, Scope
from tests.courses.planning import DAY, MORNING, ZONE
from tests.factories import Make


def listed(db: Session, scope: Scope = EVERYTHING, **filters: Any) -> list[int]:
    return [row.id for row in listings.list_offerings(db, OfferingFilters(**filters), scope, zone=ZONE).rows]


def test_current_offerings_stand_soonest_first_and_all_states_latest_first(db: Session, make: Make) -> None:
    later = make.offering(starts=[MORNING + DAY])
    draft = make.offering(starts=[MORNING], state=OfferingState.DRAFT)
    cancelled = make.offering(
        starts=[MORNING + 2 * DAY], state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="停电"
    )
    assert listed(db) == [draft.id, later.id]
    assert listed(db, state=StateFilter.ALL) == [cancelled.id, later.id, draft.id]
    assert listed(db, state=StateFilter.CANCELLED) == [cancelled.id]


def test_a_row_counts_places_waiting_trainees_and_sessions(db: Session, make: Make) -> None:
    offering = make.offering(starts=[MORNING, MORNING + DAY], hours=2, capacity=2)
    for state in (
        EnrolmentState.ENROLLED,
        EnrolmentState.COMPLETED,
        EnrolmentState.WAITLISTED,
        EnrolmentState.CANCELLED,
    ):
        make.enrolment(offering, state=state)
    [row] = listings.list_offerings(db, OfferingFilters(), EVERYTHING, zone=ZONE).rows
    assert (row.enrolled, row.waiting, row.sessions, row.capacity) == (2, 1, 2, 2)
    assert (row.starts_at, row.ends_at) == (MORNING, MORNING + DAY + timedelta(hours=2))


@pytest.mark.parametrize(
    "filters",
    [
        {"programme_code": "RESCUE"}, {"district_id": 3}, {"organisation": "红星"}, {"search": "红星 甲"},
        {"first_day": date(2030, 6, 1)}, {"first_day": date(2030, 6, 3), "last_day": date(2030, 6, 3)},
    ],
)  # fmt: skip
def test_filters(db: Session, make: Make, filters: dict[str, Any]) -> None:
    june = datetime(2030, 6, 2, 16, tzinfo=UTC)  # 00:00 on 3 June in Beijing
    host = make.organisation(3, name_zh="红星小学")
    match = make.offering(
        course=make.new_course(programme_code="RESCUE"), organisation=host, starts=[june], place="甲楼"
    )
    make.offering(starts=[MORNING], place="乙楼")
    assert listed(db, **filters) == [match.id]


def test_a_wildcard_of_sql_is_searched_as_a_character(db: Session, make: Make) -> None:
    make.offering(starts=[MORNING])
    assert listed(db, search="%") == listed(db, search="_") == []


def test_shows_the_scope_s_offerings_alone(db: Session, make: Make) -> None:
    own = make.offering(organisation=make.organisation(1))
    make.offering(organisation=make.organisation(2))
    assert listed(db, Scope(district_ids=frozenset({1}))) == [own.id]


def test_pages_follow_the_first_session_also_after_it_moved_or_went(db: Session, make: Make) -> None:
    course, host, lead = make.new_course(), make.organisation(), make.instructor()
    offerings = [
        make.offering(course=course, organisation=host, lead=lead, starts=[MORNING + number * DAY])
        for number in range(PAGE_SIZE + 1)
    ]
    first = listings.list_offerings(db, OfferingFilters(), EVERYTHING, zone=ZONE)
    assert (first.before, first.after, first.count) == (None, offerings[-2].id, Count(PAGE_SIZE + 1))
    last = listings.list_offerings(db, OfferingFilters(), EVERYTHING, zone=ZONE, place=Place(after=first.after))
    assert [row.id for row in last.rows] == [offerings[-1].id]
    moved = offerings[0].sessions[0]
    moved.starts_at, moved.ends_at = moved.starts_at + 99 * DAY, moved.ends_at + 99 * DAY
    db.flush()
    assert listed(db)[0] == offerings[1].id
    db.delete(offerings[1].sessions[0])
    db.flush()
    assert listed(db)[0] == offerings[2].id
    end = listings.list_offerings(db, OfferingFilters(), EVERYTHING, zone=ZONE, place=Place(last=True))
    assert [row.id for row in end.rows][-2:] == [offerings[0].id, offerings[1].id]
    planned = listings.list_offerings(
        db, OfferingFilters(), EVERYTHING, zone=ZONE, order=orders_of(OfferingFilters())[1]
    )
    assert [row.id for row in planned.rows] == [row.id for row in offerings[:-1]]
