"""Exports that are too long to wait for: owed in the database, made by a worker, kept a week in pieces for the owner alone.

A worker holds the export's row while it makes the file, and commits every piece at once: a killed one leaves nothing behind,
and the next begins anew. How far it is stands in a row of its own, written meanwhile.
"""

import csv
import io
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session, joinedload, sessionmaker

from courses.events import ExportRequested
from courses.models.exports import Export, ExportChunk, ExportProgress, ExportState, PersonalData
from courses.reports.exports.orders import READING, Order
from courses.reports.tables import Wording
from lms.core import audit, clock, events
from lms.core.copying import PIECE, Lines, Table, ahead, cells, copied, pieces, write_parquet
from lms.core.errors import N_, DomainError, NotFound
from lms.core.exports import Format, Sheet, guarded, write
from lms.core.scope import EVERYTHING, Scope, fetch, visible

log = structlog.get_logger(__name__)

KEPT = timedelta(days=7)
ATTEMPTS = 3
TOLD_SECONDS = 1.0  # between two tellings of progress
LISTED = 50
BOM = b"\xef\xbb\xbf"

# Opens a connection to read the rows with.
Opening = Callable[[], AbstractContextManager[Connection]]
# Passes the lines on, and sees how many there are.
Counting = Callable[[Iterator[Lines]], Iterator[Lines]]


@dataclass(frozen=True)
class Head:
    """What stands above the rows and how codes are shown, in the owner's language, settled when it was asked for.

    asked: the part of the preamble that tells one export of its kind from another, for its page.
    """

    title: str
    preamble: Sequence[tuple[str, str]]
    headings: Sequence[str]
    wording: Wording
    total: Sequence[str | float | None] | None = None
    asked: Sequence[tuple[str, str]] = ()

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "title": self.title,
            "preamble": [list(line) for line in self.preamble],
            "headings": list(self.headings),
            "english": self.wording.english,
            "states": dict(self.wording.states),
            "sectors": dict(self.wording.sectors),
            "total": None if self.total is None else list(self.total),
            "asked": [list(line) for line in self.asked],
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any], zone: ZoneInfo) -> "Head":
        """From JSON."""
        wording = Wording(kept["english"], kept["states"], kept["sectors"], zone.key)
        lines = [(label, value) for label, value in kept["preamble"]]
        return cls(kept["title"], lines, kept["headings"], wording, kept["total"])


def begin(db: Session, order: Order, form: Format, *, head: Head, rows: int) -> Export:
    """Owe an export to the user of the order's scope."""
    export = Export(
        user_id=order.scope.user_id,
        kind=order.kind,
        format=form,
        personal=order.personal,
        question=order.question,
        head=head.kept(),
        district_ids=None if order.scope.everything else sorted(order.scope.district_ids),
        rows=rows,
        expires_at=clock.now() + KEPT,
        progress=ExportProgress(),
    )
    db.add(export)
    db.flush()
    order.note(db, form, rows)
    events.publish(db, ExportRequested(export.id))
    return export


def make(
    db: Session, sessions: sessionmaker[Session], opening: Opening, zone: ZoneInfo, export_id: int | None = None
) -> bool:
    """Make one export that is owed and that nobody is at: this one, or the oldest. False when there is none.

    sessions: for telling the progress, outside this transaction.
    """
    statement = select(Export).where(Export.state == ExportState.WAITING).order_by(Export.id).limit(1)
    if export_id is not None:
        statement = statement.where(Export.id == export_id)
    export = db.scalars(statement.with_for_update(skip_locked=True, key_share=True)).one_or_none()
    if export is None:
        return False
    progress = _Progress(sessions, export.id)
    attempt = progress.begin()
    if attempt > ATTEMPTS:
        export.state, export.finished_at = ExportState.FAILED, clock.now()
        log.error("export_failed", export_id=export.id)
        return True
    with opening() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        _write(db, export, connection, zone, progress)
    return True


def _write(db: Session, export: Export, connection: Connection, zone: ZoneInfo, progress: "_Progress") -> None:
    reach = EVERYTHING if export.district_ids is None else Scope(district_ids=frozenset(export.district_ids))
    head = Head.of(export.head, zone)
    order = READING[export.kind](export.kind, export.question, reach, export.personal, zone)
    table = order.table(head.wording)
    size = 0
    with ahead(file_pieces(connection, table, export.format, head, progress.count)) as made:
        for number, data in enumerate(made):
            db.execute(insert(ExportChunk), {"export_id": export.id, "number": number, "data": data})
            size += len(data)
    export.state, export.finished_at = ExportState.DONE, clock.now()
    export.bytes, export.rows = size, progress.rows


def file_pieces(
    connection: Connection,
    table: Table,
    form: Format,
    head: Head,
    count: Counting = iter,
) -> Generator[bytes]:
    """The file in pieces.

    CSV goes out as it comes; the two that are not written from beginning to end pass a file that has no name.
    """
    if form is Format.CSV:
        yield from pieces(_csv_lines(connection, table, head, count))
        return
    with tempfile.TemporaryFile() as file:
        if form is Format.PARQUET:
            made = copied(connection, table.plain(), table.opened, heading=True)
            names = next(made)
            write_parquet(chain([names], count(made)), table.columns, file)
        else:
            rows = cells(count(copied(connection, table.worded(), table.opened)), table.columns)
            write(Sheet(head.title, head.headings, rows, head.preamble, head.total), form, file)
        file.seek(0)
        while data := file.read(PIECE):
            yield data


def _csv_lines(connection: Connection, table: Table, head: Head, count: Counting) -> Iterator[Lines]:
    yield [BOM + _csv(*_above(head))]
    yield from count(copied(connection, table.shown(), table.guarded_opened()))
    if head.total is not None:
        yield [_csv(head.total)]


def _above(head: Head) -> list[Sequence[object]]:
    return [[head.title], *head.preamble, [], head.headings]


def _csv(*lines: Sequence[object]) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerows([guarded(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue().encode()


class _Progress:
    """Tells how far an export is, in transactions of its own."""

    def __init__(self, sessions: sessionmaker[Session], export_id: int) -> None:
        self._sessions = sessions
        self._id = export_id
        self.rows = 0

    def begin(self) -> int:
        """Count an attempt."""
        return self._set(attempts=ExportProgress.attempts + 1, rows=0)

    def count(self, made: Iterator[Lines]) -> Iterator[Lines]:
        """Pass lines on, telling how many about once a second."""
        next_telling = time.monotonic() + TOLD_SECONDS
        self.rows = 0
        for lines in made:
            yield lines
            self.rows += len(lines)
            if time.monotonic() >= next_telling:
                self._set(rows=self.rows)
                next_telling = time.monotonic() + TOLD_SECONDS

    def _set(self, **values: Any) -> int:
        statement = (
            update(ExportProgress)
            .where(ExportProgress.export_id == self._id)
            .values(**values, moved_at=clock.now())
            .returning(ExportProgress.attempts)
        )
        with self._sessions.begin() as db:
            return int(db.scalars(statement).one())


def listing(db: Session, scope: Scope) -> list[Export]:
    """One's own that are still kept, newest first."""
    statement = (
        visible(select(Export), Export, scope)
        .where(Export.expires_at > clock.now())
        .options(joinedload(Export.progress))
        .order_by(Export.created_at.desc(), Export.id.desc())
        .limit(LISTED)
    )
    return list(db.scalars(statement))


def one(db: Session, ref: str, scope: Scope) -> Export:
    """One's own. Raises NotFound, also a week after it was made."""
    export = fetch(db, Export, ref, scope, by=Export.ref)
    if export.expires_at <= clock.now():
        raise NotFound
    return export


def places_before(db: Session, export: Export) -> int:
    """How many exports, of whomever, are made before one that waits."""
    statement = select(func.count()).where(Export.state == ExportState.WAITING, Export.id < export.id)
    return db.scalar(statement) or 0


def stored(sessions: sessionmaker[Session], export_id: int) -> Iterator[bytes]:
    """The file, a piece at a time, each in a session of its own: a slow download holds no connection."""
    number = 0
    while True:
        with sessions() as db:
            data = db.scalar(
                select(ExportChunk.data).where(ExportChunk.export_id == export_id, ExportChunk.number == number)
            )
        if data is None:
            return
        yield data
        number += 1


def note_download(db: Session, export: Export) -> None:
    """Record that a file with personal data was fetched: it may be, more than once in its week."""
    if export.personal is not PersonalData.NONE:
        audit.record(db, "export.download", export, after={"personal": export.personal.value, "rows": export.rows})


def remove(db: Session, ref: str, scope: Scope) -> None:
    """Delete one's own. Raises DomainError `export_busy` while a worker is at it."""
    one(db, ref, scope)
    statement = select(Export.id).where(Export.ref == ref).with_for_update(skip_locked=True)
    export_id = db.scalar(statement)
    if export_id is None:
        raise DomainError("export_busy", N_("This export is being made. Delete it when it is ready."), status=409)
    db.execute(delete(Export).where(Export.id == export_id))


def remove_old(db: Session) -> int:
    """Delete what was kept a week. Gives how many."""
    old = select(Export.id).where(Export.expires_at <= clock.now()).with_for_update(skip_locked=True)
    return len(db.scalars(delete(Export).where(Export.id.in_(old)).returning(Export.id)).all())
