"""Locks on values by their blind indexes."""

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from lms.core.value_locks import lock_values

OLD, NEW = b"\xffo" * 8, b"\x01n" * 8


def test_processes_with_different_newest_keys_take_the_same_locks(db: Session, database_url: str) -> None:
    """They list the indexes of one value in another order, and lock in the same one."""
    lock_values(db, [NEW, OLD])
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert db.scalar(text(held)) == 2
    other = create_engine(database_url)
    with other.connect() as connection:
        keys = [int.from_bytes(index[:8], signed=True) for index in (OLD, NEW)]
        assert keys[0] < 0 < keys[1]
        taken = [connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}) for key in keys]
    other.dispose()
    assert taken == [False, False]
