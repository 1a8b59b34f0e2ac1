"""Backups and restores in the audit trail, and the age of the last backup for the metrics."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.backup.manifest import Manifest
from lms.core import audit
from lms.core.audit import AuditEntry

SUBJECT = "backup:database"


def made(db: Session, manifest: Manifest, size: int) -> None:
    """Record that a backup was made and found right. `size`: its bytes."""
    audit.record(db, "backup.make", SUBJECT, after={**_facts(manifest), "bytes": size})


def restored(db: Session, manifest: Manifest) -> None:
    """Record in the restored database that it is one: later rows than those of the backup are not in it."""
    audit.record(db, "backup.restore", SUBJECT, after=_facts(manifest))


def _facts(manifest: Manifest) -> dict[str, object]:
    moment = manifest.snapshot.taken_at.isoformat(timespec="seconds")
    return {"snapshot": moment, "rows": manifest.rows}


def last_made_at(db: Session) -> datetime | None:
    """The moment of the newest backup, by the index over subject and moment; None where none was recorded."""
    statement = select(func.max(AuditEntry.at)).where(AuditEntry.subject == SUBJECT, AuditEntry.action == "backup.make")
    return db.scalar(statement)


def as_metrics(last: datetime | None) -> str:
    """The figure in the text format of Prometheus. Without any backup there is none, so that `absent()` alarms."""
    if last is None:
        return ""
    name = "lms_backup_last_seconds"
    return (
        f"# HELP {name} Time of the newest backup, in seconds since 1970.\n# TYPE {name} gauge\n"
        f"{name} {last.timestamp():.0f}\n"
    )
