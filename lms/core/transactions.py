"""Units of work: a session factory, and the commit at the edge of a request, a task or a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from lms.core import events


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """A factory of sessions whose objects stay readable after the commit, so that a page can show what was saved."""
    return sessionmaker(engine, expire_on_commit=False)


def commit(db: Session) -> None:
    """Commit, then run the reactions to the published events. A reaction only hands ids to the task queue."""
    db.commit()
    events.dispatch(db)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """The unit of work of a task or a command: committed when the block ends, rolled back when the block raises."""
    with sessions() as db:
        try:
            yield db
            commit(db)
        except BaseException:
            db.rollback()
            events.discard(db)
            raise
