"""The commands `flask person-time check` and `flask person-time freeze`."""

from flask import Flask

from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.courses.worlds import BEIJING, Person, Presence

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["person-time", *words])
    return result.exit_code, result.output


def test_a_quarter_is_frozen_by_command(app: Flask) -> None:
    assert run(app, "freeze", "2025Q3") == (0, "2025Q3 is frozen.\n")
    running = clock.today(BEIJING)
    code, output = run(app, "freeze", f"{running.year}Q{(running.month + 2) // 3}")
    assert code == 1
    assert "is not over" in output
    code, output = run(app, "freeze", "spring")
    assert code == 2
    assert "write a quarter as 2026Q3" in output
