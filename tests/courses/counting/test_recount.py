"""The recount: it agrees with what the rules wrote, and names what was changed without them."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from courses.counting import people_recount, recount
from courses.counting.people_recount import CountKey
from courses.counting.recount import OfferingRange
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.rollups import Participation, PersonTimeMonth
from lms.core import clock
from tests.courses.worlds import Person, Plan, Presence, World

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["person-time", *words])
    return result.exit_code, result.output


@pytest.fixture
def closed_offerings(db: Session, monkeypatch: pytest.MonkeyPatch) -> list[Offering]:
    """Three offerings, closed.

    All sessions of a test share a connection, so ranges take turns (tests/lms/demo has two at once).
    """
    monkeypatch.setattr(recount, "CONNECTIONS", 1)
    world = World(db)
    closed = [world.close(Plan(date(2025, month, 1), (10,), (PRESENT,), False, 1)) for month in (1, 2, 3)]
    db.commit()
    return closed


@pytest.mark.parametrize("slice_size", [1, 2, 5000])
def test_the_check_agrees_with_what_the_rules_wrote(
    app: Flask, closed_offerings: list[Offering], monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(recount, "OFFERINGS_PER_RANGE", slice_size)
    code, output = run(app, "check")
    assert code == 0
    assert "3 offerings recounted: no difference." in output


@pytest.mark.parametrize("slice_size", [1, 5000])
def test_the_check_names_what_was_changed_without_the_rules(
    app: Flask, db: Session, closed_offerings: list[Offering], monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(recount, "OFFERINGS_PER_RANGE", slice_size)
    db.execute(update(CourseSession).where(CourseSession.offering_id == closed_offerings[1].id).values(headcount=99))
    db.execute(delete(Attendance).where(Attendance.course_session_id == closed_offerings[2].sessions[0].id))
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert f"Offering {closed_offerings[1].id} " in output
    assert "counted is 10 in the ledger, 99 recounted" in output
    assert "named is 1 in the ledger, 0 recounted" in output
    assert "minutes is 180 in the ledger, 0 recounted" in output
    assert f"Offering {closed_offerings[0].id} " not in output


def test_the_check_misses_no_closed_offering_without_a_line_and_no_line_without_a_closing(
    app: Flask, db: Session, closed_offerings: list[Offering]
) -> None:
    unwritten = World(db).hold(Plan(date(2025, 4, 1), (7,), (), False, 1))
    row = closed_offerings[0]
    row.state, row.counted_on, row.closed_at = OfferingState.PUBLISHED, None, None
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert f"Offering {unwritten.id} " in output
    assert "counted is 0 in the ledger, 7 recounted" in output
    assert f"Offering {row.id} " in output
    assert "counted is 10 in the ledger, 0 recounted" in output


def test_the_check_sees_a_certificate_that_was_not_counted(
    app: Flask, db: Session, closed_offerings: list[Offering]
) -> None:
    db.execute(
        update(Enrolment).where(Enrolment.offering_id == closed_offerings[0].id).values(certified_at=clock.now())
    )
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert "certificates is 0 in the ledger, 1 recounted" in output


def test_the_check_finds_wrong_rollups(app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    lost = {CountKey("", 0, "2025-03"): 7}
    monkeypatch.setattr(people_recount, "by_copy", lambda _db: lost)
    db.execute(update(PersonTimeMonth).values(counted=11))
    db.execute(update(Participation).where(Participation.offering_id == offering.id).values(trainees=[]))
    db.commit()
    result = app.test_cli_runner().invoke(args=["person-time", "check"])
    assert result.exit_code == 1
    assert "people is 0 in the ledger, 1 recounted" in result.output
    assert "people  0 2025-03 is 7, recounted 0" in result.output
    assert "person_time_month 2025-03-01" in result.output
    assert "is 12, recounted 11" in result.output


def test_the_ranges_cover_every_closed_offering_once(
    db: Session, closed_offerings: list[Offering], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "OFFERINGS_PER_RANGE", 2)
    ids = sorted(offering.id for offering in closed_offerings)
    assert recount.ranges(db) == [OfferingRange(2, ids[0], ids[1]), OfferingRange(1, ids[2], ids[2])]


def test_a_difference_names_the_offering_and_the_figure(db: Session, closed_offerings: list[Offering]) -> None:
    db.execute(update(CourseSession).where(CourseSession.offering_id == closed_offerings[0].id).values(headcount=12))
    (part,) = recount.ranges(db)
    (difference,) = recount.check(db, part)
    assert (difference.offering_id, difference.figure) == (closed_offerings[0].id, "counted")
    assert (difference.in_ledger, difference.recounted) == (10, 12)
