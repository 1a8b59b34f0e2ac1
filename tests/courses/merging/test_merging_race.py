"""Merges at the same moment as one another and as the closing of a class: one wins, nobody waits for ever, counts hold."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.merging import merging
from courses.models.merges import TraineeMerge
from courses.models.offerings import Offering
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.merging.test_merging import differences, presence
from tests.courses.worlds import BEIJING, Plan, World


@pytest.fixture
def engine(app: Flask, fresh_database: str) -> Iterator[Engine]:
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC -c lock_timeout=20s"})
    yield engine
    engine.dispose()


def at_once(engine: Engine, *acts: Callable[[Session], object]) -> list[str]:
    """The answers of acts that begin at the same moment, each in a transaction of its own."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[Session], object]) -> str:
        with Session(engine) as db:
            barrier.wait()
            try:
                act(db)
                db.commit()
            except DomainError as error:
                return error.code
            return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_one_of_two_opposite_merges_wins_while_a_class_is_closed(engine: Engine) -> None:
    def plan(day: int, *who: int) -> Plan:
        return Plan(
            date(2025, 3, day), (0,), tuple(presence(each, came=True) for each in who), refresher=False, district=1
        )

    with Session(engine) as db:
        world = World(db)
        world.close(plan(1, 0))
        world.close(plan(2, 1))
        closing = world.hold(plan(3, 1, 2)).id
        first, second = world.cast[0].id, world.cast[1].id
        for trainee in (world.cast[0], world.cast[1]):
            trainee.name, trainee.name_key = "张三", "张三"
        db.commit()

    def merge(kept: int, merged: int) -> Callable[[Session], object]:
        return lambda db: merging.merge(db, kept, merged, {}, EVERYTHING, name="张三")

    answers = at_once(
        engine,
        merge(first, second),
        merge(second, first),
        merge(first, second),
        lambda db: person_time.record_closing(db, db.get_one(Offering, closing), BEIJING),
    )
    assert answers[3] == "done"
    assert sorted(answers[:3]).count("done") == 1
    assert set(answers[:3]) <= {"done", "already_merged", "not_found"}
    with Session(engine) as db:
        assert differences(db) == []
        row = db.scalars(select(TraineeMerge)).one().id
    assert sorted(at_once(engine, *[lambda db: merging.undo(db, row, EVERYTHING)] * 2)) == ["done", "undone_already"]
    with Session(engine) as db:
        assert differences(db) == []
