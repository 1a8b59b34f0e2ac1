"""The people of a host are counted once, whatever number of its offerings they came to."""

from datetime import date

from sqlalchemy import update
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.reports.host_people import HostPeople, people_of_host
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import PRESENT, in_district
from tests.courses.worlds import Plan, World


def test_people_of_a_host_count_once(db: Session) -> None:
    world = World(db)
    first = world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    second = world.close(Plan(date(2025, 5, 1), (0,), (PRESENT,), True, 1))
    second.organisation_id = first.organisation_id
    db.flush()
    host = first.organisation_id
    assert people_of_host(db, host, EVERYTHING) == HostPeople(1, 0)
    assert people_of_host(db, host, in_district(2)) == HostPeople(0, 0)
    assert people_of_host(db, host, Scope(organisation_ids=frozenset({host + 1}))) == HostPeople(0, 0)
    db.execute(update(Enrolment).values(certified_at=clock.now()))
    assert people_of_host(db, host, Scope(organisation_ids=frozenset({host}))) == HostPeople(1, 1)
