"""Backups and restores are in the audit trail, and the age of the last one in the metrics."""

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.backup import record
from lms.core.audit import AuditEntry
from tests.lms.backup.conftest import Made


def test_the_metrics_tell_when_the_last_backup_was_made(client: FlaskClient, db: Session, made: Made) -> None:
    assert "lms_backup" not in client.get("/metrics").text
    record.restored(db, made.backup.manifest)
    db.commit()
    assert record.last_made_at(db) is None
    record.made(db, made.backup.manifest, made.backup.size)
    db.commit()
    moment = record.last_made_at(db)
    assert moment is not None
    assert f"lms_backup_last_seconds {moment.timestamp():.0f}\n" in client.get("/metrics").text


def test_the_audit_trail_tells_what_a_backup_held(db: Session, made: Made) -> None:
    record.made(db, made.backup.manifest, made.backup.size)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.subject == record.SUBJECT)).one()
    assert entry.after is not None
    assert entry.after["rows"] == made.backup.manifest.rows
    assert entry.after["bytes"] == made.backup.size
