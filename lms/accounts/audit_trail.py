"""Reads the audit trail: which user did what to which row, and when."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.paging import FIRST, Count, KeyPage, Order, Part, Place, count_rows, page_by_key

HIDDEN = "*"
ORDERS = (Order("time", (AuditEntry.at, AuditEntry.id), descending=True),)
# Gives further subjects of which the entries belong to a subject, such as the former records of a person.
SameSubjects = Callable[[Session, str], Sequence[str]]
same_subjects: list[SameSubjects] = []


@dataclass(frozen=True)
class TrailFilter:
    """Filters of the audit trail. `subject` is "trainee:17", or "trainee" for all trainees. Days are in the branch's time zone."""

    action: str | None = None
    subject: str | None = None
    user: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class TrailChange:
    """A changed field, before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class TrailEntry:
    """An audit entry. `user` is None if the system itself acted."""

    id: int
    at: datetime
    user: str | None
    action: str
    noun: str
    key: str
    changes: tuple[TrailChange, ...]
    reason: str | None


def listing(
    db: Session, filters: TrailFilter, zone: ZoneInfo, place: Place = FIRST, order: Order = ORDERS[0]
) -> KeyPage[TrailEntry]:
    """A page of the entries that match, the latest first. Two statements besides the count, which stops at `MANY`."""
    entries = page_by_key(db, [Part(_matching(db, filters, zone), order)], place)
    users = {row.user_id for row in entries.rows if row.user_id is not None}
    names = {row.id: row.name for row in db.execute(select(User.id, User.name).where(User.id.in_(users)))}
    return replace(entries, rows=[_entry(row, names) for row in entries.rows])


def count(db: Session, filters: TrailFilter, zone: ZoneInfo, most: int) -> Count:
    """The number of entries that match, up to `most`."""
    return count_rows(db, [_matching(db, filters, zone)], most=most)


def stream(db: Session, filters: TrailFilter, zone: ZoneInfo) -> Iterator[TrailEntry]:
    """All entries that match, the latest first, some hundreds at a time in memory."""
    names = {row.id: row.name for row in db.execute(select(User.id, User.name))}
    for row in db.scalars(_matching(db, filters, zone).execution_options(yield_per=500)):
        yield _entry(row, names)
        db.expunge(row)


def record_export(db: Session, filters: TrailFilter, form: str, rows: int) -> None:
    """Record that entries were exported. Of the user the record says that somebody was searched for, and not who."""
    chosen = {
        "action": filters.action,
        "subject": filters.subject,
        "user": HIDDEN if filters.user else None,
        "since": filters.since.isoformat() if filters.since else None,
        "until": filters.until.isoformat() if filters.until else None,
    }
    known = {name: value for name, value in chosen.items() if value}
    audit.record(db, "audit.export", "audit:entries", after={"format": form, "rows": rows, "filters": known})


def _matching(db: Session, filters: TrailFilter, zone: ZoneInfo) -> Select[AuditEntry]:
    statement = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if filters.action:
        statement = statement.where(AuditEntry.action == filters.action)
    if filters.subject and ":" in filters.subject:
        same = [also for subjects in same_subjects for also in subjects(db, filters.subject)]
        statement = statement.where(AuditEntry.subject.in_([filters.subject, *same]))
    elif filters.subject:
        statement = statement.where(AuditEntry.subject.startswith(f"{filters.subject}:", autoescape=True))
    if filters.user:
        names = select(User.id).where(User.name.icontains(filters.user, autoescape=True) | User.email_is(filters.user))
        statement = statement.where(AuditEntry.user_id.in_(names))
    if filters.since:
        statement = statement.where(AuditEntry.at >= _midnight(filters.since, zone))
    if filters.until:
        statement = statement.where(AuditEntry.at < _midnight(filters.until + timedelta(days=1), zone))
    return statement


def _entry(row: AuditEntry, names: dict[int, str]) -> TrailEntry:
    noun, _, key = row.subject.partition(":")
    before, after = row.before or {}, row.after or {}
    fields = [*before, *(name for name in after if name not in before)]
    return TrailEntry(
        id=row.id,
        at=row.at,
        user=names.get(row.user_id) if row.user_id is not None else None,
        action=row.action,
        noun=noun,
        key=key,
        changes=tuple(TrailChange(name, before.get(name), after.get(name)) for name in fields),
        reason=row.reason,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
