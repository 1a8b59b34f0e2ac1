"""Past trainings: people, their places, their attendances and the offerings that these make, closed and counted as closing does.

A row is one person in one offering. An offering goes in whole, in one transaction, or it was there before and stays as it is:
so an import that is stopped, killed or sent twice leaves each offering once, and one with a wrong row waits until that is
mended. Known people are found and not altered.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from courses.counting import participation, quarters
from courses.imports import past_closing, staging, statements
from courses.imports.files import Row
from courses.imports.kinds import Context, Kind, register
from courses.imports.past_rows import COLUMNS, Reader
from courses.imports.past_undo import UNDO_STEPS, take_back
from courses.models.imports import ImportLine, ImportOffering, ImportPerson, ImportRun, RowOutcome
from lms.core import audit, clock
from lms.core.errors import N_, DomainError

FILE = "past.sql"
# Two imports that write at once take turns: both would make the same offering or the same person.
LOCK = 0x696D706F7274
ROW = (
    "run_id", "line", "offering_key", "ref", "name", "name_key", "phone_sealed", "phone_index", "id_type", "id_number_sealed",
    "id_number_index", "birth_year", "present", "arrived", "departed", "result", "certificate", "issued_on",
)  # fmt: skip
OFFERED = (
    "key", "course_id", "district_id", "organisation_id", "lead_instructor_id", "place", "days", "starts", "ends",
)  # fmt: skip


class Papers(ABC):
    """What keeps the certificates that rows name, in the transactions that write and undo their enrolments."""

    @abstractmethod
    def judge(self, db: Session, run: ImportRun, first: int = 0, last: int | None = None) -> int:
        """Refuse new rows whose certificate is somebody else's, of the whole file or of offerings from first to last; how many."""

    @abstractmethod
    def keep(self, db: Session, run: ImportRun) -> None:
        """The rows are in the temporary table `placed`."""

    @abstractmethod
    def take_back(self, db: Session, run: ImportRun, first: int, last: int) -> Sequence[str]:
        """The offerings are in the temporary table `concerned`, by number from first to last; the names of what stays."""


class Past(Kind):
    """The kind."""

    name = "past"
    title = N_("Past trainings")
    hint = N_(
        "One row for each person in each offering: its people, places and attendances go in, and it is counted. A "
        "certificate number can be verified from then on, as a legacy certificate of the district's Red Cross."
    )
    caution = N_(
        "An offering is imported whole: if one of its rows is wrong, all of its rows wait and are listed in this file. "
        "Correct the wrong rows, or remove them."
    )
    columns = COLUMNS
    steps = ("people", "offerings")
    undo_steps = UNDO_STEPS
    reasons = {  # noqa: RUF012  # read only
        "double": N_("The same person stands in line %(line)s for this offering already."),
        "offering_waits": N_(
            "This row is correct, but line %(line)s of the same offering is wrong. Correct that line, "
            "and send all of them together."
        ),
        "offering_known": N_("This offering is registered already, without this person. Correct it on its own page."),
        "certificate_ours": N_("The certificate number is one of this system's own. Correct it, or leave it out."),
        "certificate_taken": N_("The certificate number is somebody else's already. Correct it, or leave it out."),
        "certificate_twice": N_(
            "Line %(line)s gives the same certificate number to somebody else. Correct both lines."
        ),
    }

    consequences = frozenset({"offering_waits"})

    def __init__(self) -> None:
        self.papers: list[Papers] = []

    def stage(self, db: Session, run: ImportRun, rows: Iterator[Row], context: Context) -> Iterator[int]:
        """Rows in, checked and sealed."""
        reader = Reader(db, run, clock.today(context.zone))
        beginning = f"{run.id}\t".encode()
        while batch := list(islice(rows, context.chunk)):
            good: list[bytes] = []
            bad: list[bytes] = []
            for line, cells in batch:
                try:
                    good.append(beginning + reader.line(line, cells) + b"\n")
                except DomainError as error:
                    bad.append(staging.refused_line(run.id, line, error, reader.key))
            staging.copy(db, "import_attendance", ROW, [b"".join(good)])
            if bad:
                staging.copy(db, "import_line", staging.LINE, bad)
            if reader.fresh:
                db.execute(
                    insert(ImportOffering),
                    [{"run_id": run.id, **dict(zip(OFFERED, one, strict=True))} for one in reader.fresh],
                )
                reader.fresh = []
            yield batch[-1][0]

    def match(self, db: Session, run: ImportRun, context: Context) -> None:
        """Who is who, what is there already, and which rows say the same."""
        values = {"run": run.id, "zone": context.zone.key, "first": 0, "last": 2**31 - 1, "everything": True}
        with statements.by_index(db):
            statements.run(db, FILE, "known", **values)
        with statements.by_hash(db):
            for name in ("group", "turns", "wanted"):
                statements.run(db, FILE, name, **values)
        db.execute(text("ANALYZE grouped, wanted"))
        with statements.by_index(db):
            statements.run(db, FILE, "find", **values)
            db.execute(text("ANALYZE found"))
            statements.run(db, FILE, "there", **values)
        with statements.by_hash(db):
            statements.run(db, FILE, "judge", **values)
            for papers in self.papers:
                papers.judge(db, run)
            statements.run(db, FILE, "hold_back", **values)
            statements.run(db, FILE, "persons", **values)
        db.execute(text("DROP TABLE grouped, wanted, found, there"))

    def total(self, db: Session, run: ImportRun, step: str) -> int:
        """Lines of people, or offerings."""
        if step == "people":
            return db.scalar(select(func.max(ImportPerson.line)).where(ImportPerson.run_id == run.id)) or 0
        return db.scalar(select(func.max(ImportOffering.number)).where(ImportOffering.run_id == run.id)) or 0

    def move(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:
        """People first, then offerings with all that hangs on them."""
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if step == "people":
            return self._people(db, run, context)
        return self._offerings(db, run, context)

    @staticmethod
    def _people(db: Session, run: ImportRun, context: Context) -> int | None:
        last = staging.last_person(db, run, context.chunk)
        if last is None:
            return None
        values = {"run": run.id, "first": run.cursor, "last": last, "now": clock.now()}
        left = -1
        while left:  # whom somebody registers at this moment, the next turn finds
            with statements.by_hash(db):
                statements.run(db, FILE, "missing", **values)
            db.execute(text("ANALYZE wanted"))
            with statements.by_index(db):
                statements.run(db, FILE, "find", **values)  # who was registered since the check
                db.execute(text("ANALYZE found"))
                done = statements.run(db, FILE, "enlist", **values).rowcount
            left = (db.scalar(text("SELECT count(*) FROM wanted")) or 0) - done
            db.execute(text("DROP TABLE wanted, found"))
        return last

    def _offerings(self, db: Session, run: ImportRun, context: Context) -> int | None:
        first, last = run.cursor + 1, self._last(db, run, context.chunk)
        if last is None:
            return None
        values: dict[str, Any] = {
            "run": run.id, "first": first, "last": last, "zone": context.zone.key, "now": clock.now(),
            "user": audit.actor(db), "today": clock.today(context.zone), "everything": False,
        }  # fmt: skip
        with statements.by_index(db):
            statements.run(db, FILE, "known", **values)
            late = statements.run(db, FILE, "refuse_known", **values).rowcount
            late += sum(papers.judge(db, run, first, last) for papers in self.papers)
        if late:  # what others made since the check
            with statements.by_hash(db):
                statements.run(db, FILE, "hold_back", **values)
                statements.run(db, FILE, "idle", **values)
            db.execute(text("ANALYZE idle"))
            with statements.by_index(db):
                statements.run(db, FILE, "forget", **values)
            db.execute(text("DROP TABLE idle"))
        with statements.by_index(db):
            statements.run(db, FILE, "offered", **values)
            db.execute(text("ANALYZE offered"))
            for name in ("remember", "meeting"):
                statements.run(db, FILE, name, **values)
            with statements.by_hash(db):
                statements.run(db, FILE, "chosen", **values)
            db.execute(text("ANALYZE meeting, chosen"))
        with statements.by_key(db):
            statements.run(db, FILE, "placed", **values)
        with statements.by_index(db):
            db.execute(text("ANALYZE placed"))
            statements.run(db, FILE, "presence", **values)
            db.execute(text("ANALYZE presence"))
            statements.run(db, FILE, "judged", **values)
            quarters.lock_open(db)
            for name in ("offering", "session", "lead", "enrolment", "event", "attendance", "closing"):
                statements.run(db, FILE, f"write_{name}", **values)
            past_closing.certify(db)
            statements.run(db, FILE, "write_participation")
            db.execute(text("CREATE TEMP TABLE concerned ON COMMIT DROP AS SELECT id FROM offered"))
            db.execute(text("ANALYZE concerned"))
            participation.lock(db)
            statements.run(db, FILE, "count_people", sign=1)
        for papers in self.papers:
            papers.keep(db, run)
        made = db.execute(text("SELECT (SELECT count(*) FROM offered), (SELECT count(*) FROM placed)")).one()
        db.execute(text("DROP TABLE offered, meeting, chosen, placed, presence, judged, concerned"))
        _add(run, offerings=made[0], enrolments=made[1])
        return last

    @staticmethod
    def _last(db: Session, run: ImportRun, chunk: int) -> int | None:
        """The last offering of a chunk: at least one, and no more rows than the chunk holds."""
        left = select(ImportLine.number).where(
            ImportLine.run_id == run.id, ImportLine.number > run.cursor, ImportLine.outcome == RowOutcome.NEW
        )
        beyond = db.scalar(left.order_by(ImportLine.number).offset(chunk).limit(1))
        fitting = left if beyond is None else left.where(ImportLine.number < beyond)
        found = db.scalar(fitting.order_by(ImportLine.number.desc()).limit(1))
        return beyond if found is None else found

    def undo(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:
        """See `past_undo`."""
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        return take_back(db, run, step, context, [papers.take_back for papers in self.papers])


def _add(run: ImportRun, **numbers: int) -> None:
    run.tally = {**run.tally, **{name: run.tally.get(name, 0) + number for name, number in numbers.items()}}


PAST = Past()
register(PAST)
