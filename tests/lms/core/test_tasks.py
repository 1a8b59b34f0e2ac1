"""Celery tasks: one transaction each, and a broker that is down."""

import pytest
from flask import Flask
from kombu.exceptions import OperationalError
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core import tasks


@tasks.task
def write_number(db: Session, number: int) -> None:
    """A task of these tests."""
    db.execute(text("INSERT INTO task_numbers VALUES (:number)"), {"number": number})
    if number < 0:
        raise ValueError(number)


def test_a_task_commits_when_it_returns_and_rolls_back_when_it_raises(app: Flask, db: Session) -> None:
    db.execute(text("CREATE TEMPORARY TABLE task_numbers (number int)"))
    db.commit()
    with app.app_context():
        write_number(1)
        with pytest.raises(ValueError, match="-2"):
            write_number(-2)
    write_number(3)  # a worker's process has no application context of its own
    assert list(db.scalars(text("SELECT number FROM task_numbers ORDER BY number"))) == [1, 3]


def test_a_task_is_named_by_its_module() -> None:
    assert write_number.name == f"{__name__}.write_number"


@pytest.mark.parametrize("error", [OperationalError, ConnectionRefusedError])
def test_a_broker_that_is_down_raises_nothing(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def unreachable(**_arguments: object) -> None:
        raise error

    monkeypatch.setattr(write_number, "apply_async", unreachable)
    tasks.enqueue(write_number, 1)
