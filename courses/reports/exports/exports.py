"""Exports that take too long for a request: a worker makes the file, and its owner may download it for a week.

A worker locks the export's row while it makes the file, and commits all pieces together. So a killed worker leaves
nothing behind, and the next one begins anew. The progress stands in a row of its own, which is written meanwhile in
other transactions.
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
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, true, update
from sqlalchemy.orm import Session, joinedload, sessionmaker

from courses.events import ExportRequested
from courses.models.exports import CHUNK_COLUMN, Export, ExportChunk, ExportProgress, ExportState, PersonalData
from courses.reports.exports.orders import ORDER_READERS, ExportOrder
from courses.reports.exports.tables import ExportWording
from lms.core import audit, clock, crypto, events, retention_rules
from lms.core.copying import PIECE_BYTES, Lines, Table, copy_rows, join_pieces, produce_ahead, typed_rows, write_parquet
from lms.core.errors import N_, DomainError, NotFound
from lms.core.exports import Format, Sheet, escape_formula, write
from lms.core.scope import EVERYTHING, Scope, fetch, visible

log = structlog.get_logger(__name__)

LIFETIME = timedelta(days=7)
MAX_ATTEMPTS = 3
PROGRESS_SECONDS = 1.0  # between two updates of the progress
MAX_LISTED = 50
BOM = b"\xef\xbb\xbf"  # by which Excel recognises UTF-8

# Opens the connection that the rows are read on.
OpenConnection = Callable[[], AbstractContextManager[Connection]]
# Passes the lines on and counts them.
LineCounter = Callable[[Iterator[Lines]], Iterator[Lines]]


@dataclass(frozen=True)
class ExportHead:
    """The texts of a file around its rows, in the owner's language, fixed when the export is ordered.

    total: the row of sums below the rows. criteria: the part of the preamble that the page of the export shows. plain: a
    CSV file has one heading line and the rows, and nothing else.
    """

    title: str
    preamble: Sequence[tuple[str, str]]
    headings: Sequence[str]
    wording: ExportWording
    total: Sequence[str | float | None] | None = None
    criteria: Sequence[tuple[str, str]] = ()
    plain: bool = False

    def to_json(self) -> dict[str, Any]:
        """The value of `Export.head`."""
        return {
            "title": self.title,
            "preamble": [list(line) for line in self.preamble],
            "headings": list(self.headings),
            "english": self.wording.english,
            "states": dict(self.wording.states),
            "sectors": dict(self.wording.sectors),
            "total": None if self.total is None else list(self.total),
            "asked": [list(line) for line in self.criteria],
            "plain": self.plain,
        }

    @classmethod
    def from_json(cls, head: Mapping[str, Any], zone: ZoneInfo) -> "ExportHead":
        """Read `Export.head`, without the criteria, which the file does not need."""
        wording = ExportWording(head["english"], head["states"], head["sectors"], zone.key)
        preamble = [(label, value) for label, value in head["preamble"]]
        plain = head.get("plain", False)  # an export that was ordered before the upgrade has none
        return cls(head["title"], preamble, head["headings"], wording, head["total"], plain=plain)


def begin(db: Session, order: ExportOrder, form: Format, *, head: ExportHead, rows: int) -> Export:
    """Owe an export to the user of the order's scope. rows: their expected number."""
    export = Export(
        user_id=order.scope.user_id,
        kind=order.kind,
        format=form,
        personal=order.personal,
        question=order.arguments,
        head=head.to_json(),
        district_ids=None if order.scope.everything else sorted(order.scope.district_ids),
        organisation_ids=sorted(order.scope.organisation_ids),
        rows=rows,
        expires_at=clock.now() + (retention_rules.period(db, "export") or LIFETIME),
        progress=ExportProgress(),
    )
    db.add(export)
    db.flush()
    order.record(db, form, rows)
    events.publish(db, ExportRequested(export.id))
    return export


def make(
    db: Session, sessions: sessionmaker[Session], opening: OpenConnection, zone: ZoneInfo, export_id: int | None = None
) -> bool:
    """Make one owed export that no other worker has locked: this one, or the oldest. False when there is none.

    sessions: for the transactions that update the progress. opening: opens the connection that the rows are read on.
    """
    statement = select(Export).where(Export.state == ExportState.WAITING).order_by(Export.id).limit(1)
    if export_id is not None:
        statement = statement.where(Export.id == export_id)
    export = db.scalars(statement.with_for_update(skip_locked=True, key_share=True)).one_or_none()
    if export is None:
        return False
    progress = _Progress(sessions, export.id)
    attempt = progress.begin()
    if attempt > MAX_ATTEMPTS:
        export.state, export.finished_at = ExportState.FAILED, clock.now()
        log.error("export_failed", export_id=export.id)
        return True
    with opening() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        _write(db, export, connection, zone, progress)
    return True


def _write(db: Session, export: Export, connection: Connection, zone: ZoneInfo, progress: "_Progress") -> None:
    scope = EVERYTHING
    if export.district_ids is not None:
        scope = Scope(district_ids=frozenset(export.district_ids), organisation_ids=frozenset(export.organisation_ids))
    head = ExportHead.from_json(export.head, zone)
    order = ORDER_READERS[export.kind](export.kind, export.question, scope, export.personal, zone)
    table = order.table(head.wording)
    size = 0
    with produce_ahead(file_pieces(connection, table, export.format, head, progress.count)) as pieces_of_file:
        for number, data in enumerate(pieces_of_file):
            sealed = crypto.cipher().seal(CHUNK_COLUMN, ExportChunk.binding(export.ref, number), data)
            db.execute(insert(ExportChunk), {"export_id": export.id, "number": number, "data": sealed})
            size += len(data)
    export.state, export.finished_at = ExportState.DONE, clock.now()
    export.bytes, export.rows = size, progress.rows


def file_pieces(
    connection: Connection,
    table: Table,
    form: Format,
    head: ExportHead,
    count: LineCounter = iter,
) -> Generator[bytes]:
    """The file in pieces.

    CSV is passed on as PostgreSQL gives it. XLSX and Parquet are not written from beginning to end, so they go through
    a temporary file.
    """
    if form is Format.CSV:
        yield from join_pieces(_csv_lines(connection, table, head, count))
        return
    with tempfile.TemporaryFile() as file:
        if form is Format.PARQUET:
            lines = copy_rows(connection, table.for_programs(), table.unseal, heading=True)
            names = next(lines)
            write_parquet(chain([names], count(lines)), table.columns, file)
        else:
            rows = typed_rows(count(copy_rows(connection, table.for_typed_cells(), table.unseal)), table.columns)
            write(Sheet(head.title, head.headings, rows, head.preamble, head.total), form, file)
        file.seek(0)
        while data := file.read(PIECE_BYTES):
            yield data


def _csv_lines(connection: Connection, table: Table, head: ExportHead, count: LineCounter) -> Iterator[Lines]:
    yield [BOM + _csv(*_lines_above(head))]
    yield from count(copy_rows(connection, table.for_csv(), table.unseal_for_csv()))
    if head.total is not None and not head.plain:
        yield [_csv(head.total)]


def _lines_above(head: ExportHead) -> list[Sequence[object]]:
    return [head.headings] if head.plain else [[head.title], *head.preamble, [], head.headings]


def _csv(*lines: Sequence[object]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([escape_formula(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue().encode()


class _Progress:
    """The progress of an export, written in transactions of their own."""

    def __init__(self, sessions: sessionmaker[Session], export_id: int) -> None:
        self._sessions = sessions
        self._id = export_id
        self.rows = 0

    def begin(self) -> int:
        """Count an attempt, and return its number."""
        return self._set(attempts=ExportProgress.attempts + 1, rows=0)

    def count(self, lines: Iterator[Lines]) -> Iterator[Lines]:
        """Pass lines on, and write their number about once a second."""
        next_update = time.monotonic() + PROGRESS_SECONDS
        self.rows = 0
        for some in lines:
            yield some
            self.rows += len(some)
            if time.monotonic() >= next_update:
                self._set(rows=self.rows)
                next_update = time.monotonic() + PROGRESS_SECONDS

    def _set(self, **values: Any) -> int:
        statement = (
            update(ExportProgress)
            .where(ExportProgress.export_id == self._id)
            .values(**values, moved_at=clock.now())
            .returning(ExportProgress.attempts)
        )
        with self._sessions.begin() as db:
            return int(db.scalars(statement).one())


def counting_failed(scope: Scope) -> Select[Any]:
    """The SELECT that counts the user's exports that failed and have not expired."""
    return visible(select(func.count(Export.id)), Export, scope).where(_is_kept(), _is_failed())


def _is_kept() -> ColumnElement[bool]:
    return Export.expires_at > clock.now()


def _is_failed() -> ColumnElement[bool]:
    return Export.state == ExportState.FAILED


def listing(db: Session, scope: Scope, *, failed: bool = False) -> list[Export]:
    """The user's exports that have not expired, newest first. failed: only those that failed."""
    statement = (
        visible(select(Export), Export, scope)
        .where(_is_kept(), _is_failed() if failed else true())
        .options(joinedload(Export.progress))
        .order_by(Export.created_at.desc(), Export.id.desc())
        .limit(MAX_LISTED)
    )
    return list(db.scalars(statement))


def export_of(db: Session, ref: str, scope: Scope) -> Export:
    """An export of the user. Raises NotFound for the export of another user, and for one that has expired."""
    export = fetch(db, Export, ref, scope, by=Export.ref)
    if export.expires_at <= clock.now():
        raise NotFound
    return export


def places_before(db: Session, export: Export) -> int:
    """The number of exports, of all users, that are made before this one."""
    statement = select(func.count()).where(Export.state == ExportState.WAITING, Export.id < export.id)
    return db.scalar(statement) or 0


def stored_pieces(sessions: sessionmaker[Session], export_id: int) -> Iterator[bytes]:
    """The file, piece by piece, each read in a session of its own, so that a slow download holds no connection."""
    number = 0
    while True:
        with sessions() as db:
            chunk = db.execute(
                select(ExportChunk.data, Export.ref)
                .join(Export, Export.id == ExportChunk.export_id)
                .where(ExportChunk.export_id == export_id, ExportChunk.number == number)
            ).one_or_none()
        if chunk is None:
            return
        yield crypto.cipher().open(CHUNK_COLUMN, ExportChunk.binding(chunk.ref, number), chunk.data)
        number += 1


def record_download(db: Session, export: Export) -> None:
    """Write the audit entry of a download of a file with personal data. A file may be downloaded several times."""
    if export.personal is not PersonalData.NONE:
        audit.record(db, "export.download", export, after={"personal": export.personal.value, "rows": export.rows})


def remove(db: Session, ref: str, scope: Scope) -> None:
    """Delete an export of the user. Raises DomainError `export_busy` while a worker makes it."""
    export_of(db, ref, scope)
    statement = select(Export.id).where(Export.ref == ref).with_for_update(skip_locked=True)
    export_id = db.scalar(statement)
    if export_id is None:
        raise DomainError("export_busy", N_("This export is being created. Delete it when it is ready."), status=409)
    db.execute(delete(Export).where(Export.id == export_id))


def remove_expired(db: Session) -> int:
    """Delete the exports that have expired, and return their number."""
    expired = select(Export.id).where(Export.expires_at <= clock.now()).with_for_update(skip_locked=True)
    return len(db.scalars(delete(Export).where(Export.id.in_(expired)).returning(Export.id)).all())
