"""The copy of the ledger follows the database: what was committed, and in each session its own changes."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from courses.counting import ledger_copy, person_time
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from courses.models.rollups import Participation
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World

FIRST, SECOND, THIRD = (Person(number, EnrolmentState.COMPLETED, (Presence(0, 0, None),)) for number in range(3))
PLAN = Plan(date(2025, 3, 1), (0,), (FIRST, SECOND), False, 1)


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    made = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    yield made
    made.dispose()


def seen(db: Session) -> tuple[int, int]:
    """The person-times and the participations that a session finds."""
    columns = ledger_copy.current(db)
    live = columns.participants.offering >= 0
    assert columns.lines.number.tolist() == sorted(columns.lines.number.tolist())
    return int(columns.lines.figures["named"].sum()), int(columns.participants.people[live].sum())


def test_what_is_committed_is_kept_and_what_is_not_is_seen_by_its_own_session_alone(engine: Engine) -> None:
    with Session(engine) as reader, Session(engine) as writer:
        assert seen(reader) == (0, 0)
        World(writer).close(PLAN)
        assert seen(writer) == (2, 2)
        assert seen(reader) == (0, 0)
        writer.rollback()
        assert seen(writer) == (0, 0)
        World(writer).close(PLAN)
        writer.commit()
        assert seen(reader) == (2, 2)
        assert ledger_copy.current(reader) is ledger_copy.current(reader)  # nothing changed: nothing is read again


def test_a_transaction_that_began_earlier_and_commits_later_is_not_missed(engine: Engine) -> None:
    with Session(engine) as reader, Session(engine) as slow, Session(engine) as quick:
        slow.execute(text("SELECT pg_current_xact_id()"))
        World(quick).close(PLAN)
        quick.commit()
        assert seen(reader) == (2, 2)
        reader.rollback()
        World(slow).close(PLAN)
        assert seen(reader) == (2, 2)
        slow.commit()
        assert seen(reader) == (4, 4)


def test_an_older_snapshot_keeps_its_own_figures(engine: Engine) -> None:
    with Session(engine) as writer, Session(engine) as now, Session(engine) as old:
        world = World(writer)
        offering_id = world.close(PLAN).id
        writer.commit()
        old.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        assert seen(old) == (2, 2)
        writer.execute(
            text("UPDATE participation SET trainees = trainees[1:1] WHERE offering_id = :id"), {"id": offering_id}
        )
        world.close(PLAN)
        writer.commit()
        assert seen(now) == (4, 3)
        assert seen(old) == (2, 2)
        assert seen(now) == (4, 3)


def test_a_correction_that_changes_people_and_no_figure_is_followed(engine: Engine) -> None:
    with Session(engine) as writer, Session(engine) as reader:
        world = World(writer)
        offering_id = world.close(PLAN).id
        writer.commit()
        before = ledger_copy.current(reader).participants.trainee.tolist()
        offering = writer.get_one(Offering, offering_id)
        world.fill(offering, Plan(PLAN.first, PLAN.headcounts, (FIRST, THIRD), False, 1))
        assert person_time.record_correction(writer, offering, "Somebody else came", BEIJING) is None
        writer.commit()
        columns = ledger_copy.current(reader)
        (place,) = (columns.participants.offering == 0).nonzero()
        assert columns.participants.people[place].tolist() == [2]
        now = columns.participants.trainee[-2:].tolist()
        assert now != before
        assert now == sorted(reader.get_one(Participation, offering_id).trainees)


def test_a_table_that_was_emptied_is_read_anew(engine: Engine) -> None:
    with Session(engine) as writer, Session(engine) as reader:
        World(writer).close(PLAN)
        writer.commit()
        assert seen(reader) == (2, 2)
        reader.rollback()
        writer.execute(text("TRUNCATE person_time_entry, participation CASCADE"))
        writer.commit()
        assert seen(reader) == (0, 0)
