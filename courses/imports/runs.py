"""The life of an import: received, its sheet chosen, mapped, checked, run, stopped, resumed, undone, erased.

Work is done in chunks. A chunk is one transaction, which stores its position as `cursor`; the caller of `work` commits
it. A worker that is killed loses its chunk, and the next worker continues after the last committed one. Doing a step
twice changes nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

import structlog
from sqlalchemy import ColumnElement, Integer, Select, and_, cast, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from courses.events import ImportRequested
from courses.imports import columns, files, kinds, overlaps, sheets
from courses.imports.kinds import ImportContext, ImportKind
from courses.models.imports import (
    ImportAttendance,
    ImportLine,
    ImportOffering,
    ImportPerson,
    ImportPiece,
    ImportRun,
    ImportState,
    RowOutcome,
)
from lms.core import audit, clock, events, reasons
from lms.core.errors import N_, DomainError, NotFound
from lms.core.paging import Page, page_of
from lms.core.scope import Scope, fetch, visible

log = structlog.get_logger(__name__)

UNDO_WINDOW = timedelta(days=30)  # after its end an import can be undone so long; then its file and rows are erased
BUSY = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
WAITING = (ImportState.RECEIVED, ImportState.CHECKED, ImportState.STOPPED, ImportState.FAILED)
FINISHED = (ImportState.CHECKED, ImportState.DONE, ImportState.UNDONE)
WORKER_LOCK = 0x696D7077
WORK_MEMORY = "64MB"
STATISTICS = 10  # for ANALYZE of the temporary tables of a chunk, of which the planner needs little
MOVED_ON = N_("The import has moved on to another step. Check it again.")
BROKE = N_("Something went wrong on our side. The rows imported so far are kept; resume, or undo the import.")


@dataclass(frozen=True)
class ImportProgress:
    """The position of the work: `done` of `total` in a step; `total` is 0 where it is not known."""

    step: str
    done: int
    total: int


def receive(
    db: Session,
    kind: ImportKind,
    *,
    file: IO[bytes],
    file_name: str,
    scope: Scope,
    largest: int = files.LARGEST_FILE,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
    hidden: bool = False,
) -> ImportRun:
    """Store a file and guess which column holds which field. Raises DomainError on the field `file` or `sheet`.

    mapping: field → heading, where the caller knows the headings. sheet: the name of the sheet, where the caller knows it;
    without it, and with several sheets that could be meant, the import waits for `choose_sheet`. hidden: whether hidden
    rows and columns are read.
    """
    if kind.city_only and not scope.everything:
        raise DomainError("city_only", N_("Only a city administrator can import this data."), status=403)
    run = ImportRun(
        kind=kind.name,
        user_id=scope.user_id,
        district_ids=None if scope.everything else sorted(scope.district_ids),
        file_name=file_name[-120:],
        file_bytes=0,
        encoding="",
        head_line=0,
        headings=[],
        mapping={},
        tally={},
        notes=[],
    )
    db.add(run)
    db.flush()
    stored = files.store(db, run, file, largest=min(largest, kind.largest))
    run.file_bytes, run.encoding = stored.size, stored.encoding
    remembered = {**columns.remembered(db, run).headings, **(mapping or {})}
    sheets.receive(db, run, columns.known(kind, remembered), sheet=sheet, hidden=hidden)
    if run.sheet_name is not None:
        columns.read(db, run, kind, remembered)
    after = {"kind": run.kind, "file": run.file_name, "bytes": run.file_bytes, **sheets.named(run)}
    audit.record(db, "import.receive", run, after=after)
    db.flush()
    return run


def check(db: Session, run: ImportRun) -> None:
    """Request the check, which changes no record. Raises DomainError while a required field has no column."""
    require_state(db, run, ImportState.RECEIVED)
    if columns.missing(run):
        raise DomainError("columns_missing", N_("Choose a column for each required field."), status=422)
    _begin(db, run, ImportState.CHECKING, "read", files.count_rows(db, run))
    db.flush()


def start(db: Session, run: ImportRun, reason: str | None = None) -> None:
    """Request the import of the new rows.

    reason: why figures that overlap with existing ones are imported anyway, see `courses.imports.overlaps`. Raises
    DomainError before the check, when there is no new row, and without a reason where there are overlaps.
    """
    require_state(db, run, ImportState.CHECKED)
    if not run.tally.get(RowOutcome.NEW):
        raise DomainError("nothing_new", N_("No row of this file can be imported."))
    found = kinds.kind_of(run.kind).overlaps(db, run)
    if found and not (reason or "").strip():
        raise DomainError("overlaps", overlaps.UNDECIDED, field="reason", number=len(found))
    overlaps.accept(run, found)
    _begin(db, run, ImportState.RUNNING, kinds.kind_of(run.kind).steps[0])
    after = {"kind": run.kind, "rows": run.tally[RowOutcome.NEW], **overlaps.named(found)}
    audit.record(db, "import.start", run, after=after, reason=reasons.required(reason) if found else None)
    db.flush()


def stop(db: Session, run: ImportRun) -> None:
    """Request that the worker stops after its current chunk."""
    if run.state in BUSY:
        db.execute(update(ImportRun).where(ImportRun.id == run.id).values(stop_asked=True))
        audit.record(db, "import.stop", run)


def resume(db: Session, run: ImportRun) -> None:
    """Request that a stopped or failed import continues where it was."""
    require_state(db, run, ImportState.STOPPED, ImportState.FAILED)
    run.state, run.stop_asked, run.problem = run.doing or ImportState.CHECKING, False, None
    audit.record(db, "import.resume", run)
    events.publish(db, ImportRequested(run.id))
    db.flush()


def undo(db: Session, run: ImportRun, reason: str) -> None:
    """Request that all records which the import made are removed.

    Raises DomainError for a blank reason, when the rows are erased, and when nothing was imported.
    """
    reason = reasons.required(reason)
    require_state(db, run, ImportState.DONE, ImportState.STOPPED, ImportState.FAILED)
    if run.state is not ImportState.DONE and run.doing is ImportState.CHECKING:
        raise DomainError("nothing_moved", N_("This import has changed nothing, so there is nothing to undo."))
    if run.erased_at is not None:
        raise DomainError("erased", N_("An import can be undone within 30 days. Its rows have now been erased."))
    # An undo that was stopped and is requested anew meets again what stays, and does not meet what is gone.
    run.tally = {name: number for name, number in run.tally.items() if name != "kept_rows"}
    _begin(db, run, ImportState.UNDOING, kinds.kind_of(run.kind).undo_steps[0])
    audit.record(db, "import.undo", run, after={"kind": run.kind}, reason=reason)
    db.flush()


def require_state(db: Session, run: ImportRun, *states: ImportState) -> None:
    """Lock an import until the commit, so that of two requests at once the second sees what the first one decided.

    Raises DomainError for an import in another state.
    """
    db.flush()
    db.refresh(run, with_for_update=True)
    if run.state not in states:
        raise DomainError("import_state", MOVED_ON)


def may_resume(run: ImportRun) -> bool:
    """Tell whether an import can be resumed: not if its file cannot be read to the end, and not after it was erased."""
    failed = run.state is ImportState.FAILED and problem(run)[0] == BROKE
    return (failed or run.state is ImportState.STOPPED) and run.erased_at is None


def _begin(db: Session, run: ImportRun, state: ImportState, step: str, total: int = 0) -> None:
    run.state = run.doing = state
    run.step, run.cursor, run.total, run.stop_asked, run.problem = step, 0, total, False, None
    events.publish(db, ImportRequested(run.id))


def work(db: Session, run_id: int, context: ImportContext) -> Iterator[ImportProgress]:
    """Do the requested work, a chunk at a time; the caller commits after each. Ends when another worker has it.

    A file that turns out to be unreadable ends the import as failed. An error of the program is raised, and the import
    stays at its last committed chunk.
    """
    while (run := _taken(db, run_id)) is not None:
        audit.act_as(db, run.user_id)
        kind = kinds.kind_of(run.kind)
        if run.stop_asked:
            run.state, run.stop_asked = ImportState.STOPPED, False
            yield _progress(run)
            return
        if run.state is ImportState.CHECKING and run.step == "read":
            yield from _read(db, run, kind, context)
        else:
            _advance(db, run, kind, context)
            yield _progress(run)


def _taken(db: Session, run_id: int) -> ImportRun | None:
    """Return the import if work is requested and no other worker holds its lock."""
    if not db.scalar(select(func.pg_try_advisory_xact_lock(WORKER_LOCK, run_id))):
        return None
    db.execute(text("SET LOCAL statement_timeout = 0"))
    db.execute(text(f"SET LOCAL work_mem = '{WORK_MEMORY}'"))
    db.execute(text(f"SET LOCAL default_statistics_target = {STATISTICS}"))
    run = db.scalars(
        select(ImportRun).where(ImportRun.id == run_id).execution_options(populate_existing=True)
    ).one_or_none()
    return run if run is not None and run.state in BUSY else None


def _read(db: Session, run: ImportRun, kind: ImportKind, context: ImportContext) -> Iterator[ImportProgress]:
    """Stage the file. The reader stays open between chunks unless another worker took the import meanwhile."""
    left = run.cursor
    chunks = kind.stage(db, run, files.rows(db, run, after=max(run.head_line, run.cursor)), context)
    while True:
        try:
            with db.begin_nested():
                last = next(chunks, None)
        except DomainError as error:
            _fail(db, run.id, error)
            yield ImportProgress("read", 0, 0)
            return
        if last is None:
            run.step, run.cursor, run.total = "match", 0, 0
            yield _progress(run)
            return
        left = run.cursor = last
        run.total = max(run.total, last)
        yield _progress(run)
        again = _taken(db, run.id)
        if again is None or again.cursor != left or again.stop_asked:
            return
        run = again


def _advance(db: Session, run: ImportRun, kind: ImportKind, context: ImportContext) -> None:
    if run.state is ImportState.CHECKING:
        kind.match(db, run, context)
        run.tally = _tally(db, run)
        run.state, run.finished_at = ImportState.CHECKED, clock.now()
        return
    if run.state is ImportState.RUNNING:
        overlaps.lock(db)
        if not overlaps.are_decided(run, kind.overlaps(db, run)):
            run.state, run.finished_at = ImportState.CHECKED, clock.now()  # figures entered since the user decided
            log.info("import_overlaps", import_id=run.id)
            return
    steps = kind.steps if run.state is ImportState.RUNNING else kind.undo_steps
    total = run.total if run.cursor else kind.total(db, run, run.step)
    do_chunk = kind.import_chunk if run.state is ImportState.RUNNING else kind.undo_chunk
    cursor = do_chunk(db, run, run.step, context)
    run.total = (
        total  # written together with the cursor: a request to stop must not wait until the chunk unlocks this row
    )
    if cursor is not None:
        run.cursor = cursor
        return
    at = steps.index(run.step) + 1
    if at < len(steps):
        run.step, run.cursor, run.total = steps[at], 0, 0
        return
    run.state = ImportState.DONE if run.state is ImportState.RUNNING else ImportState.UNDONE
    run.finished_at = clock.now()
    run.tally = {**run.tally, **_tally(db, run)}
    action = "import.done" if run.state is ImportState.DONE else "import.undone"
    audit.record(db, action, run, after={"kind": run.kind, **run.tally, **({"kept": run.notes} if run.notes else {})})


def _fail(db: Session, run_id: int, error: DomainError) -> None:
    run = db.get(ImportRun, run_id, populate_existing=True)
    if run is not None and run.state in BUSY:
        run.state, run.problem = ImportState.FAILED, json.dumps([error.message, error.params], ensure_ascii=False)
        log.warning("import_failed", import_id=run_id, code=error.code)


def give_up(db: Session, run_id: int) -> None:
    """End an import as failed after an error of the program, so that no worker retries it; a user may resume it."""
    _fail(
        db,
        run_id,
        DomainError(
            "import_broke",
            BROKE,
        ),
    )


def problem(run: ImportRun) -> tuple[str, dict[str, Any]]:
    """Return why an import failed: the msgid, empty where it did not fail, and its parameters."""
    message, params = json.loads(run.problem) if run.problem else ("", {})
    return message, params


def _progress(run: ImportRun) -> ImportProgress:
    return ImportProgress(run.step, run.cursor, run.total)


def _tally(db: Session, run: ImportRun) -> dict[str, int]:
    counted = dict.fromkeys(map(str, RowOutcome), 0)
    rows = db.execute(
        select(ImportLine.outcome, func.count()).where(ImportLine.run_id == run.id).group_by(ImportLine.outcome)
    )
    return counted | {str(outcome): number for outcome, number in rows}


def busy_ids(db: Session) -> list[int]:
    """Return the ids of imports with work to do, also after a lost message or a killed worker."""
    return list(db.scalars(select(ImportRun.id).where(ImportRun.state.in_(BUSY)).order_by(ImportRun.id)))


def count_old(db: Session, before: datetime) -> int:
    """The number of imports that `erase` would erase."""
    return db.scalar(select(func.count()).select_from(ImportRun).where(*_ended(before))) or 0


def _ended(before: datetime) -> list[ColumnElement[bool]]:
    ended = func.coalesce(ImportRun.finished_at, ImportRun.created_at)
    return [ImportRun.erased_at.is_(None), ImportRun.state.not_in(BUSY), ended < before]


def erase(db: Session, before: datetime | None = None) -> int:
    """Erase files and rows of imports that ended (or were received and not run) before a moment. Returns their number.

    The moment is `UNDO_WINDOW` ago unless it is given. The imports cannot be undone afterwards.
    """
    before = before or clock.now() - UNDO_WINDOW
    old = list(db.scalars(select(ImportRun).where(*_ended(before)).with_for_update(skip_locked=True)))
    ids = [run.id for run in old]
    if ids:
        for table in (ImportLine, ImportAttendance, ImportOffering, ImportPerson, ImportPiece):
            db.execute(delete(table).where(table.run_id.in_(ids)))
    for run in old:
        run.erased_at, run.meanings = clock.now(), {}
        audit.record(db, "import.erase", run)
    db.flush()
    return len(old)


def listing(db: Session, scope: Scope, page: int, *, left: bool = False) -> Page[ImportRun]:
    """Return a page of the imports within the scope, the newest first. left: those that `counting_left` counts."""
    statement = visible(select(ImportRun), ImportRun, scope).order_by(ImportRun.id.desc())
    return page_of(db, statement.where(_is_left()) if left else statement, page)


def counting_left(scope: Scope) -> Select[Any]:
    """The SELECT that counts the imports in which something is left to do.

    Such an import waits for somebody (for a column, the start, or to be resumed), or it is done and rows were refused, which
    can be corrected as long as the file is kept.
    """
    return visible(select(func.count(ImportRun.id)), ImportRun, scope).where(_is_left())


def _is_left() -> ColumnElement[bool]:
    refused = cast(ImportRun.tally[RowOutcome.REFUSED.value].astext, Integer)
    return and_(
        ImportRun.erased_at.is_(None),
        or_(
            ImportRun.state.in_(WAITING),
            and_(ImportRun.state == ImportState.DONE, func.coalesce(refused, 0) > 0),
        ),
    )


def find(db: Session, ref: str, scope: Scope) -> ImportRun:
    """Return the import of an address. Raises NotFound."""
    return fetch(db, ImportRun, ref, scope, by=ImportRun.ref)


def by_id(db: Session, run_id: int) -> ImportRun:
    """Return an import by its id, for commands. Raises NotFound."""
    run = db.get(ImportRun, run_id)
    if run is None:
        raise NotFound
    return run
