"""The checks after a restore find what does not belong together."""

import base64

from sqlalchemy import text

from lms.backup import checks, key_parts
from lms.core import crypto
from tests.conftest import FIELD_KEY
from tests.lms.backup.conftest import System


def found(system: System, keys: dict[str, bytes]) -> dict[str, tuple[str, ...]]:
    return {check.name: check.faults for check in checks.run(system.sessions, keys) if check.faults}


def test_a_sound_system_has_no_faults(system: System) -> None:
    crypto.configure(FIELD_KEY)
    assert found(system, key_parts.read_folder(system.source.keys_dir)) == {}


def test_missing_keys_another_field_key_and_edited_rows_are_found(system: System) -> None:
    crypto.configure(base64.b64encode(bytes(32)).decode())
    edit = text("UPDATE certificate SET holder_name = :name WHERE id = (SELECT min(id) FROM certificate)")
    with system.sessions() as db:
        name = db.scalar(text("SELECT holder_name FROM certificate ORDER BY id LIMIT 1"))
        db.execute(edit, {"name": "别人"})
        db.execute(text("UPDATE person_time_month SET named = named + 1"))
        db.commit()
    try:
        faults = found(system, {})
    finally:
        crypto.configure(FIELD_KEY)
        with system.sessions() as db:
            db.execute(edit, {"name": name})
            db.execute(text("UPDATE person_time_month SET named = named - 1"))
            db.commit()
    assert faults["keys"] == ("the private file of qr-1, which signs, is missing",)
    assert "does not open the phone" in faults["field key"][0]
    assert "kept total person_time_month" in faults["person-time check"][0]
    assert "its hash does not fit its contents" in faults["certificates ledger check"][0]
    assert len(faults) == 4
