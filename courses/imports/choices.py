"""The choices of a user before the import: the sheet, the columns, and what the values of the column of presence mean."""

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.orm import Session

from courses.imports import columns, files, kinds, presence_values, runs, sheets
from courses.imports.files import Extract
from courses.models.imports import (
    ImportAttendance,
    ImportLine,
    ImportOffering,
    ImportPerson,
    ImportRun,
    ImportState,
)
from lms.core import audit
from lms.core.errors import DomainError


def choose_sheet(db: Session, run: ImportRun, name: str, *, hidden: bool) -> None:
    """Choose the sheet that is read, and whether its hidden rows and columns are; headings and columns are read anew.

    Raises DomainError after the check began, and on the field `sheet` where the file has no such sheet.
    """
    runs.require_state(db, run, ImportState.RECEIVED)
    sheets.choose(db, run, name, hidden=hidden)
    run.meanings = {}
    files.forget(db, run, Extract.CORRECTED)  # its lines are those of the former sheet
    columns.read(db, run, kinds.kind_of(run.kind), columns.remembered(db, run).headings)
    audit.record(db, "import.choose_sheet", run, after=sheets.named(run))
    db.flush()


def remap(db: Session, run: ImportRun, mapping: Mapping[str, int], meanings: Mapping[str, str] | None = None) -> None:
    """Set which column holds which field and what values mean, and remember both for the user's next file.

    meanings: as `ImportRun.meanings`, an empty one takes back a former one. Raises DomainError after the check began.
    """
    runs.require_state(db, run, ImportState.RECEIVED)
    columns.store(db, run, mapping, run.meanings if meanings is None else meanings)


def reopen(db: Session, run: ImportRun) -> None:
    """Go back to the choice of sheet, columns and meanings: what the check found is forgotten, no record was changed.

    Raises DomainError once the import has begun, and after the file was erased.
    """
    require_reopening(db, run)
    at = run.mapping.get(kinds.kind_of(run.kind).presence_column)
    if at is not None:
        presence_values.keep_refused(db, run, at)
    for table in (ImportLine, ImportAttendance, ImportOffering, ImportPerson):
        db.execute(delete(table).where(table.run_id == run.id))
    run.state, run.doing, run.problem, run.stop_asked = ImportState.RECEIVED, None, None, False
    run.step, run.cursor, run.total, run.tally = "read", 0, 0, {}
    audit.record(db, "import.reopen", run)
    db.flush()


def require_reopening(db: Session, run: ImportRun) -> None:
    """Lock an import whose choices can still be changed. Raises DomainError where they cannot."""
    runs.require_state(db, run, ImportState.CHECKED, ImportState.STOPPED, ImportState.FAILED)
    if not may_reopen(run):
        raise DomainError("import_state", runs.MOVED_ON)


def may_reopen(run: ImportRun) -> bool:
    """Tell whether the choices of an import can still be changed: it was checked, or its check ended, and not erased."""
    ended = run.state in {ImportState.STOPPED, ImportState.FAILED} and run.doing is ImportState.CHECKING
    return (run.state is ImportState.CHECKED or ended) and run.erased_at is None
