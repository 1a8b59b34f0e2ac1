"""Concurrent corrections of one offering: the ledger holds what every one of them changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from tests.courses.worlds import BEIJING, Person, Plan, World, attend

CORRECTORS = 4


@pytest.mark.parametrize("count", ["closing", "correction"])
def test_an_offering_that_is_counted_is_locked_until_the_commit_and_no_other(fresh_database: str, count: str) -> None:
    engine = create_engine(fresh_database)
    plan = Plan(date(2025, 3, 1), (0,), (), False, 1)
    with Session(engine) as db:
        world = World(db)
        counted, other = [(world.hold if count == "closing" else world.close)(plan).id for _ in range(2)]
        db.commit()

    def lock(offering_id: int) -> None:
        with Session(engine) as db:
            db.execute(select(Offering.id).where(Offering.id == offering_id).with_for_update(nowait=True))

    with Session(engine) as db:
        offering = db.get_one(Offering, counted)
        if count == "closing":
            person_time.record_closing(db, offering, BEIJING)
        else:
            person_time.record_correction(db, offering, "补签", BEIJING)
        lock(other)
        with pytest.raises(DBAPIError, match="could not obtain lock"):
            lock(counted)
    engine.dispose()


def test_corrections_at_once_are_all_counted_and_none_twice(fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    absent = tuple(Person(who, EnrolmentState.INCOMPLETE, ()) for who in range(CORRECTORS))
    with Session(engine) as db:
        offering_id = World(db).close(Plan(date(2025, 3, 1), (0,), absent, False, 1)).id
        enrolments = list(db.scalars(select(Enrolment.id).order_by(Enrolment.id)))
        db.commit()
    ready = Barrier(CORRECTORS)

    def correct(enrolment_id: int) -> None:
        with Session(engine) as db:
            offering, enrolment = db.get_one(Offering, offering_id), db.get_one(Enrolment, enrolment_id)
            attend(db, enrolment, offering.sessions[0])
            ready.wait()  # everybody has changed something and nobody has counted yet
            person_time.record_correction(db, offering, "补签", BEIJING)
            db.commit()

    with ThreadPoolExecutor(CORRECTORS) as pool:
        list(pool.map(correct, enrolments))
    with Session(engine) as db:
        assert len(db.scalars(select(Attendance)).all()) == CORRECTORS
        recorded = person_time.ledger_total(db, offering_id)
        assert recorded == person_time.total(db, offering_id)
        assert (recorded.named, recorded.minutes) == (CORRECTORS, CORRECTORS * 180)
    engine.dispose()
