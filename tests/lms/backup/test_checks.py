"""The checks after a restore find what does not belong together."""

import base64
from pathlib import Path

from sqlalchemy import text

from lms.backup import checks
from lms.backup.checks import Subject
from lms.core import crypto
from tests.conftest import FIELD_KEY
from tests.lms.backup.conftest import Made, System


def found(system: System, keys_dir: Path, record_heads: dict[str, tuple[int, str]]) -> dict[str, tuple[str, ...]]:
    subject = Subject(system.sessions, keys_dir, record_heads)
    return {check.name: check.faults for check in checks.run(subject) if check.faults}


def test_a_sound_system_has_no_faults(system: System, made: Made) -> None:
    crypto.configure(FIELD_KEY)
    assert found(system, system.source.keys_dir, made.backup.manifest.record_heads) == {}


def test_missing_keys_another_field_key_and_edited_rows_are_found(system: System, tmp_path: Path) -> None:
    crypto.configure(base64.b64encode(bytes(32)).decode())
    edit = text("UPDATE certificate SET holder_name = :name WHERE id = (SELECT min(id) FROM certificate)")
    with system.sessions() as db:
        name = db.scalar(text("SELECT holder_name FROM certificate ORDER BY id LIMIT 1"))
        db.execute(edit, {"name": "别人"})
        db.execute(text("UPDATE person_time_month SET named = named + 1"))
        db.commit()
    try:
        faults = found(system, tmp_path, {"audit_entry": (99, "0" * 64)})
    finally:
        crypto.configure(FIELD_KEY)
        with system.sessions() as db:
            db.execute(edit, {"name": name})
            db.execute(text("UPDATE person_time_month SET named = named - 1"))
            db.commit()
    assert faults["keys"] == tuple(
        f"the private file of {kid}, which signs, is missing" for kid in ("qr-1", "status-1")
    )
    assert "does not open the phone" in faults["field key"][0]
    assert "kept total person_time_month" in faults["person-time check"][0]
    assert "its hash does not fit its contents" in faults["certificates ledger check"][0]
    assert "audit_entry, block 99: is known outside the database" in faults["records check"][0]
    assert len(faults) == 5
