"""The ledger is in memory before the first question, and a database that is away does not end the process."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from courses.counting import ledger_copy, warming


def test_the_ledger_of_each_database_is_read_and_one_that_is_away_is_left_for_later(engine: Engine) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    own = create_engine(engine.url)
    warming.warm([sessionmaker(away), sessionmaker(own)]).join()
    assert own in ledger_copy._kept
    assert ledger_copy._kept[own].copy is not None
    with Session(own) as db:
        assert ledger_copy.current(db) is ledger_copy._kept[own].copy.columns
    own.dispose()
