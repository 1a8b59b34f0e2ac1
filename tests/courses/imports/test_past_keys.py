"""Imports of past trainings while a field key is replaced; tests/lms/core/test_resealing.py tells whole stories of it."""

import base64

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courses.imports import past_keys
from courses.models.imports import ImportAttendance
from lms.core import crypto
from tests.conftest import FIELD_KEY
from tests.courses.imports.past_files import PastWorld

NEW = "2:" + base64.b64encode(bytes(range(100, 132))).decode()


@pytest.mark.usefixtures("app")
def test_rows_that_were_read_under_two_keys_have_the_indexes_of_one(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(), world.row(present="1")])
    index = select(ImportAttendance.phone_index).where(ImportAttendance.run_id == run.id).distinct()
    (former,) = db.scalars(index)
    past_keys.unify(db, run)
    assert db.scalars(index).all() == [former], "with one key nothing is done"
    crypto.configure(NEW, [FIELD_KEY])
    past_keys.unify(db, run)
    assert db.scalars(index).all() == [crypto.cipher().blind_index("trainee.phone", "+8613800138000")]
    crypto.configure(FIELD_KEY)


@pytest.mark.usefixtures("app")
def test_while_a_key_is_replaced_the_people_of_a_chunk_are_locked(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row()])
    crypto.configure(NEW, [FIELD_KEY])
    db.execute(
        text(
            "CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT line, id_type, name_key FROM import_attendance WHERE run_id = :run"
        ),
        {"run": run.id},
    )
    past_keys.find(db, run, lock=True)
    assert db.execute(text("SELECT line, id FROM found")).all() == [(2, None)]
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 28961 AND pid = pg_backend_pid()"
    assert db.scalar(text(held)) == 2, "the index of the phone under either key"
    crypto.configure(FIELD_KEY)
