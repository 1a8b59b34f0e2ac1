"""The commands that prove and freeze the figures."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from courses.counting import recount
from courses.models.attendance import Attendance
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from lms.core import clock
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["person-time", *words])
    return result.exit_code, result.output


@pytest.fixture
def held(db: Session, monkeypatch: pytest.MonkeyPatch) -> list[Offering]:
    """Three offerings, closed. All sessions of a test share a connection, so parts take turns (tests/lms/demo has two at once)."""
    monkeypatch.setattr(recount, "AT_ONCE", 1)
    world = World(db)
    closed = [world.close(Plan(date(2025, month, 1), (10,), (PRESENT,), False, 1)) for month in (1, 2, 3)]
    db.commit()
    return closed


@pytest.mark.parametrize("slice_size", [1, 2, 5000])
def test_the_check_agrees_with_what_the_rules_wrote(
    app: Flask, held: list[Offering], monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(recount, "SLICE", slice_size)
    code, output = run(app, "check")
    assert code == 0
    assert "3 offerings recounted: no difference." in output


@pytest.mark.parametrize("slice_size", [1, 5000])
def test_the_check_names_what_was_changed_behind_the_rules(
    app: Flask, db: Session, held: list[Offering], monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(recount, "SLICE", slice_size)
    db.execute(update(CourseSession).where(CourseSession.offering_id == held[1].id).values(headcount=99))
    db.execute(delete(Attendance).where(Attendance.course_session_id == held[2].sessions[0].id))
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert f"Offering {held[1].id} " in output
    assert "counted is 10 in the ledger, 99 recounted" in output
    assert "named is 1 in the ledger, 0 recounted" in output
    assert "minutes is 180 in the ledger, 0 recounted" in output
    assert f"Offering {held[0].id} " not in output


def test_the_check_misses_no_closed_offering_without_a_line_and_no_line_without_a_closing(
    app: Flask, db: Session, held: list[Offering]
) -> None:
    unwritten = World(db).hold(Plan(date(2025, 4, 1), (7,), (), False, 1))
    row = held[0]
    row.state, row.counted_on, row.closed_at = OfferingState.PUBLISHED, None, None
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert f"Offering {unwritten.id} " in output
    assert "counted is 0 in the ledger, 7 recounted" in output
    assert f"Offering {row.id} " in output
    assert "counted is 10 in the ledger, 0 recounted" in output


def test_the_check_sees_a_certificate_that_was_not_counted(app: Flask, db: Session, held: list[Offering]) -> None:
    from courses.models.enrolment import Enrolment

    db.execute(update(Enrolment).where(Enrolment.offering_id == held[0].id).values(certified_at=clock.now()))
    db.commit()
    code, output = run(app, "check")
    assert code == 1
    assert "certificates is 0 in the ledger, 1 recounted" in output


def test_a_quarter_is_frozen_by_command(app: Flask) -> None:
    assert run(app, "freeze", "2025Q3") == (0, "2025Q3 is frozen.\n")
    running = clock.today(BEIJING)
    code, output = run(app, "freeze", f"{running.year}Q{(running.month + 2) // 3}")
    assert code == 1
    assert "is not over" in output
    code, output = run(app, "freeze", "spring")
    assert code == 2
    assert "write a quarter as 2026Q3" in output
