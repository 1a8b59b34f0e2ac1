"""The undo of an import of past trainings: records that it made are removed; those used since stay and are named.

Attendance events and ledger lines are never changed. So an offering that was counted stays as a cancelled offering:
undo events answer its check-ins, and correction lines take back its figures. Its enrolments refer to an anonymous
trainee, and the trainees whom the import made are removed.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.counting import quarters
from courses.imports import staging, statements
from courses.imports.kinds import ImportContext
from courses.models.imports import ImportOffering, ImportRun
from courses.models.trainees import ANONYMOUS_REF, Trainee
from lms.core import audit, clock
from lms.core.names import norm

FILE = "past_undo.sql"
UNDO_STEPS = ("undo_offerings", "undo_people")
REASON = "导入已撤销。The import was undone."
ANONYMOUS_NAME = "（已撤销的导入）"
# Removes the certificates of offerings numbered from first to last; returns the names of those that stay.
UndoCertificates = Callable[[Session, ImportRun, int, int], Sequence[str]]
NOTES_LIMIT = 100  # offerings that stay and that the import names
_OFFERINGS = text(
    "SELECT count(*) FILTER (WHERE offering.state = 'cancelled'), count(*) FILTER (WHERE offering.state <> 'cancelled')"
    " FROM import_offering AS named JOIN offering ON offering.id = named.offering_id WHERE named.run_id = :run"
)
_PEOPLE = text(
    "SELECT count(*) FILTER (WHERE trainee.id IS NULL), count(trainee.id) FROM import_person AS person"
    " LEFT JOIN trainee ON trainee.id = person.trainee_id WHERE person.run_id = :run AND person.made"
)


def undo_chunk(
    db: Session, run: ImportRun, step: str, context: ImportContext, undo_certificates: Sequence[UndoCertificates]
) -> int | None:
    """Undo one chunk of a step; returns the new cursor, or None when the step is done."""
    return _offerings(db, run, context, undo_certificates) if step == "undo_offerings" else _people(db, run, context)


def _offerings(
    db: Session, run: ImportRun, context: ImportContext, undo_certificates: Sequence[UndoCertificates]
) -> int | None:
    last = db.scalar(select(func.max(ImportOffering.number)).where(ImportOffering.run_id == run.id)) or 0
    if run.cursor >= last:
        _tally(run, "offerings", *db.execute(_OFFERINGS, {"run": run.id}).one())
        return None
    first, upto = run.cursor + 1, min(last, run.cursor + max(1, context.chunk // 50))
    values: dict[str, Any] = {
        "run": run.id, "first": first, "last": upto, "now": clock.now(), "today": clock.today(context.zone),
        "user": audit.actor(db), "reason": REASON, "nobody": _anonymous_trainee(db),
    }  # fmt: skip
    quarters.lock_open(db)
    with statements.index_scans(db):
        statements.execute(db, FILE, "touched", **values)
        statements.execute(db, FILE, "concerned", **values)
        db.execute(text("ANALYZE concerned"))
        certificates = [name for undo in undo_certificates for name in undo(db, run, first, upto)]
        for name in (
            "empty_participation", "contradict", "unmark", "ledger", "cancel_enrolment", "free_instructor", "cancel_offering",
        ):  # fmt: skip
            statements.execute(db, FILE, name, **values)
    changed = db.execute(text("SELECT id, name_zh, host, counted_on FROM touched ORDER BY id")).all()
    db.execute(text("DROP TABLE touched, concerned"))
    offerings = [f"#{identity} {course} · {host} · {day}" for identity, course, host, day in changed]
    # An undo that was stopped and asked for again reads the same offerings again.
    notes = [note for note in (*offerings, *certificates) if note not in run.notes]
    run.notes = [*run.notes, *notes[: NOTES_LIMIT - len(run.notes)]]
    return upto


def _people(db: Session, run: ImportRun, context: ImportContext) -> int | None:
    last = staging.last_person_line(db, run, context.chunk)
    if last is None:
        _tally(run, "people", *db.execute(_PEOPLE, {"run": run.id}).one())
        return None
    with statements.index_scans(db):
        statements.execute(db, FILE, "forget_people", run=run.id, first=run.cursor, last=last)
    return last


def _tally(run: ImportRun, records: str, undone: int, remaining: int) -> None:
    """Store how many of the records that the import made are taken back, and how many stay.

    They are counted at the end of a step and not added up over chunks: after a stop the undo may be asked for anew.
    """
    run.tally = {**run.tally, f"undone_{records}": undone, f"kept_{records}": remaining}


def _anonymous_trainee(db: Session) -> int:
    """Return the id of the trainee record to which the enrolments of undone offerings refer; it is made when needed."""
    identity = db.scalar(select(Trainee.id).where(Trainee.ref == ANONYMOUS_REF))
    if identity is not None:
        return identity
    row = Trainee(ref=ANONYMOUS_REF, name=ANONYMOUS_NAME, name_key=norm(ANONYMOUS_NAME))
    db.add(row)
    db.flush()
    return row.id
