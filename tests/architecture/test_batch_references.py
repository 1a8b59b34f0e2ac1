"""The references that triggers keep for a whole statement refuse what a foreign key refuses, also when two are at it at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.models.offerings import SessionInstructor
from lms.accounts.models import Device, User
from tests.factories import Make

NOBODY = 9_999_999
PARENTS = {"course_session_id": "course_session", "user_id": "app_user", "device_id": "device"}


@dataclass(frozen=True)
class World:
    """A place in a training, and what an event names; nothing has happened there yet."""

    engine: Engine
    enrolment: int
    named: dict[str, int]

    def event(self, connection: Connection, **other: int | None) -> None:
        """Keep an event that names these."""
        facts = {"id": uuid4(), "enrolment_id": self.enrolment, **self.named, **other}
        connection.execute(
            text(
                "INSERT INTO attendance_event (id, course_session_id, enrolment_id, kind, method, happened_at, user_id, device_id)"
                " VALUES (:id, :course_session_id, :enrolment_id, 'arrive', 'tap', now(), :user_id, :device_id)"
            ),
            facts,
        )


@pytest.fixture
def world(fresh_database: str) -> Iterator[World]:
    engine = create_engine(fresh_database, connect_args={"options": "-c lock_timeout=20s"})
    with Session(engine) as db:
        make = Make(db)
        enrolment, empty = make.enrolment(make.offering()), make.offering().sessions[0]
        alone = User(name="独", email="alone@example.org")
        device = Device(user_id=make.user().id, name="phone", token_hash=b"nobody's")
        db.add_all((alone, device))
        db.flush()
        db.execute(delete(SessionInstructor).where(SessionInstructor.course_session_id == empty.id))
        named = {"course_session_id": empty.id, "user_id": alone.id, "device_id": device.id}
        found = World(engine, enrolment.id, named)
        db.commit()
    yield found
    engine.dispose()


@pytest.mark.parametrize("column", PARENTS)
def test_an_event_names_nothing_that_is_not_there(world: World, column: str) -> None:
    with (
        pytest.raises(IntegrityError, match=f"fk_attendance_event_{column}|names {PARENTS[column]}"),
        world.engine.begin() as connection,
    ):
        world.event(connection, **{column: NOBODY})


def test_an_audit_entry_and_an_attendance_name_nothing_that_is_not_there(world: World) -> None:
    entry = "INSERT INTO audit_entry (at, user_id, action, subject) VALUES (now(), :id, 'test.act', 'test:1')"
    with pytest.raises(IntegrityError, match="names app_user"), world.engine.begin() as connection:
        connection.execute(text(entry), {"id": NOBODY})
    with world.engine.begin() as connection:
        world.event(connection)
        attendance = (
            "INSERT INTO attendance (course_session_id, enrolment_id, event_id, arrived_at)"
            " SELECT course_session_id, enrolment_id, id, happened_at FROM attendance_event"
        )
        connection.execute(text(attendance))
    with pytest.raises(IntegrityError, match="names course_session"), world.engine.begin() as connection:
        connection.execute(text("UPDATE attendance SET course_session_id = :id"), {"id": NOBODY})


@pytest.mark.parametrize("column", PARENTS)
@pytest.mark.parametrize("change", ["DELETE FROM {} WHERE id = :id", "UPDATE {} SET id = -1 WHERE id = :id"])
def test_what_is_named_stays(world: World, column: str, change: str) -> None:
    statement = text(change.format(PARENTS[column]))
    with world.engine.begin() as connection:
        world.event(connection)
    with pytest.raises(IntegrityError, match="is named in attendance_event"), world.engine.begin() as connection:
        connection.execute(statement, {"id": world.named[column]})


@pytest.mark.parametrize("column", PARENTS)
def test_what_nothing_names_may_go(world: World, column: str) -> None:
    statement = text(f"DELETE FROM {PARENTS[column]} WHERE id = :id RETURNING id")
    with world.engine.begin() as connection:
        assert connection.scalar(statement, {"id": world.named[column]}) == world.named[column]


@pytest.mark.parametrize("column", PARENTS)
def test_who_deletes_waits_for_who_names_it_and_then_may_not(world: World, column: str) -> None:
    statement = text(f"DELETE FROM {PARENTS[column]} WHERE id = :id")

    def delete() -> None:
        with world.engine.begin() as other:
            other.execute(statement, {"id": world.named[column]})

    with world.engine.connect() as connection, ThreadPoolExecutor(1) as thread:
        world.event(connection)
        deleting = thread.submit(delete)
        _until_somebody_waits(world.engine)
        connection.commit()
        with pytest.raises(IntegrityError, match="is named in attendance_event"):
            deleting.result()


@pytest.mark.parametrize("column", PARENTS)
def test_who_names_it_waits_for_who_deletes_and_then_may_not(world: World, column: str) -> None:
    statement = text(f"DELETE FROM {PARENTS[column]} WHERE id = :id")

    def name() -> None:
        with world.engine.begin() as other:
            world.event(other)

    with world.engine.connect() as connection, ThreadPoolExecutor(1) as thread:
        connection.execute(statement, {"id": world.named[column]})
        naming = thread.submit(name)
        _until_somebody_waits(world.engine)
        connection.commit()
        with pytest.raises(IntegrityError, match=f"names {PARENTS[column]}"):
            naming.result()


def _until_somebody_waits(engine: Engine) -> None:
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(2000):
        with engine.connect() as connection:
            if connection.scalar(waits):
                return
    raise AssertionError("nobody waits")
