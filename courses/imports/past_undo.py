"""Undoing an import of past trainings: what it made goes, what has been used since is named and stays.

Attendance events and the ledger are never altered, so an offering that was counted stays as a cancelled one, answered by
undo events and by lines that take its figures back; its places point to nobody. People whom the import made are removed.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.counting import participation, quarters
from courses.imports import staging, statements
from courses.imports.kinds import Context
from courses.models.imports import ImportOffering, ImportRun
from courses.models.trainees import Trainee
from lms.core import audit, clock
from lms.core.names import norm

FILE = "past_undo.sql"
UNDO_STEPS = ("undo_offerings", "undo_people")
REASON = "导入已撤销。The import was undone."
NOBODY = UUID("00000000-0000-4000-8000-696d706f7274")
NOBODYS_NAME = "（已撤销的导入）"
Papers = Callable[[Session, ImportRun, int, int], Sequence[str]]
NAMED = 100  # offerings that are kept, at most, by name


def take_back(db: Session, run: ImportRun, step: str, context: Context, papers: Sequence[Papers]) -> int | None:
    """One chunk of a step; the new cursor, or None when the step is done. papers: what takes certificates back."""
    return _offerings(db, run, context, papers) if step == "undo_offerings" else _people(db, run, context)


def _offerings(db: Session, run: ImportRun, context: Context, papers: Sequence[Papers]) -> int | None:
    last = db.scalar(select(func.max(ImportOffering.number)).where(ImportOffering.run_id == run.id)) or 0
    if run.cursor >= last:
        return None
    first, upto = run.cursor + 1, min(last, run.cursor + max(1, context.chunk // 50))
    values: dict[str, Any] = {
        "run": run.id, "first": first, "last": upto, "now": clock.now(), "today": clock.today(context.zone),
        "user": audit.actor(db), "reason": REASON, "nobody": _nobody(db),
    }  # fmt: skip
    quarters.lock_open(db)
    with statements.by_index(db):
        statements.run(db, FILE, "touched", **values)
        statements.run(db, FILE, "concerned", **values)
        db.execute(text("ANALYZE concerned"))
        certificates = [name for take in papers for name in take(db, run, first, upto)]
        participation.lock(db)
        statements.run(db, "past.sql", "count_people", sign=-1)
        for name in (
            "empty_participation", "contradict", "unmark", "ledger", "cancel_enrolment", "free_instructor", "cancel_offering",
        ):  # fmt: skip
            statements.run(db, FILE, name, **values)
    kept = db.execute(text("SELECT id, name_zh, host, counted_on FROM touched ORDER BY id")).all()
    gone = db.scalar(text("SELECT count(*) FROM concerned")) or 0
    db.execute(text("DROP TABLE touched, concerned"))
    run.notes = [
        *run.notes,
        *[*(f"#{one} {course} · {host} · {day}" for one, course, host, day in kept), *certificates][: NAMED - len(run.notes)],
    ]  # fmt: skip
    tally = run.tally
    run.tally = {
        **tally,
        "kept_offerings": tally.get("kept_offerings", 0) + len(kept),
        "undone_offerings": tally.get("undone_offerings", 0) + gone,
    }
    return upto


def _people(db: Session, run: ImportRun, context: Context) -> int | None:
    last = staging.last_person(db, run, context.chunk)
    if last is None:
        return None
    with statements.by_index(db):
        made, gone = tuple(statements.run(db, FILE, "forget_people", run=run.id, first=run.cursor, last=last).one())
    tally = run.tally
    run.tally = {
        **tally,
        "kept_people": tally.get("kept_people", 0) + made - gone,
        "undone_people": tally.get("undone_people", 0) + gone,
    }
    return last


def _nobody(db: Session) -> int:
    """The record that places of undone offerings point to."""
    found = db.scalar(select(Trainee.id).where(Trainee.ref == NOBODY))
    if found is not None:
        return found
    row = Trainee(ref=NOBODY, name=NOBODYS_NAME, name_key=norm(NOBODYS_NAME))
    db.add(row)
    db.flush()
    return row.id
