"""The sessions of an offering in a drill-down: their sums, their ledger entries, and the people of one."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.models.enrolment import EnrolmentState
from courses.models.person_time import EntryKind
from courses.reports import sessions
from courses.reports.ledger import Figures
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World

TWICE = Person(1, EnrolmentState.COMPLETED, (Presence(0, 0, None), Presence(1, 0, 60)))
PLAN = Plan(date(2025, 3, 1), (5, 7), (PRESENT, TWICE), False, 1)


def test_presences_add_up_and_people_do_not(db: Session) -> None:
    offering = World(db).close(PLAN)
    found = sessions.of_offering(db, offering.id, ask())
    assert ([row.present for row in found.sessions], found.present, found.people) == ([2, 1], 3, 2)
    assert (found.headcount, found.minutes) == (7, 180 + 180 + 60)
    assert found.reported == Figures(1, 2, 2, 7, 0, 420, 2)


def test_an_entry_outside_of_the_period_is_listed_and_not_added(db: Session) -> None:
    world = World(db)
    offering = world.close(PLAN)
    world.fill(offering, replace(PLAN, headcounts=(5, 9)))
    person_time.record_correction(db, offering, "补交签到表", BEIJING)
    found = sessions.of_offering(db, offering.id, ask(until=date(2025, 2, 28)))
    assert [(entry.kind, entry.in_report) for entry in found.entries] == [
        (EntryKind.CLOSING, False),
        (EntryKind.CORRECTION, False),
    ]
    assert found.reported == Figures()
    assert sessions.of_offering(db, offering.id, ask()).reported.counted == 9


def test_the_people_of_a_session_are_those_who_were_there(db: Session) -> None:
    offering = World(db).close(PLAN)
    second = max(offering.sessions, key=lambda meeting: meeting.starts_at)
    found = sessions.attendees(db, offering.id, second.id, EVERYTHING)
    assert (found.page.total, found.minutes, [row.minutes for row in found.page.rows]) == (1, 60, [60])
    assert "****" in found.page.rows[0].phone


def test_what_is_not_in_the_scope_or_of_another_offering_is_not_found(db: Session) -> None:
    world = World(db)
    offering, other = world.close(PLAN), world.close(replace(PLAN, people=()))
    with pytest.raises(NotFound):
        sessions.of_offering(db, offering.id, ask(in_district(2)))
    with pytest.raises(NotFound):
        sessions.session_in_scope(db, offering.sessions[0].id, in_district(2))
    with pytest.raises(NotFound):
        sessions.attendees(db, other.id, offering.sessions[0].id, EVERYTHING)
