"""The import kind of past trainings: trainees, enrolments, attendances and offerings, closed and counted as by closing.

A row is one person in one offering. An offering is imported whole, in one transaction; an offering that existed before
stays as it is. So an import that is stopped, killed or sent twice makes each offering once, and an offering with a row
at fault waits until that row is corrected, unless nothing is counted by that row. Known people are found and not changed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from courses.counting import quarters
from courses.imports import overlaps, past_closing, past_keys, presence, staging, statements
from courses.imports.files import FileRow
from courses.imports.kinds import UNPRINTABLE, UNPRINTABLE_NAME, ImportContext, ImportKind, register
from courses.imports.overlaps import Overlap
from courses.imports.past_identity import REMARKS
from courses.imports.past_rows import COLUMNS, PastRowReader
from courses.imports.past_undo import UNDO_STEPS, undo_chunk
from courses.models.enrolment import ticket_sealer
from courses.models.imports import ImportLine, ImportOffering, ImportPerson, ImportRun, RowOutcome
from lms.core import audit, clock, crypto
from lms.core.crypto import FieldCipher
from lms.core.errors import N_, DomainError

FILE = "past.sql"
PIECE_ROWS = 250  # so many rows are sent to the database at a time
MARKS = "marks"  # in the tally while the file is read: a cell says with a mark that somebody was there
# An advisory lock: two imports that write at the same time would both make the same offering or the same person.
LOCK = 0x696D706F7274
ATTENDANCE_COLUMNS = (
    "run_id", "line", "offering_key", "ref", "name", "name_key", "name_sound", "phone_sealed", "phone_index", "id_type",
    "id_number_sealed", "id_number_index", "birth_year", "present", "arrived", "departed", "result", "certificate", "issued_on",
)  # fmt: skip
OFFERING_FIELDS = (
    "key", "course_id", "district_id", "organisation_id", "lead_instructor_id", "place", "days", "starts", "ends",
)  # fmt: skip


class CertificateKeeper(ABC):
    """Stores the certificates that rows name, in the transactions that write and undo the enrolments.

    `certificates.legacy` implements it, because `courses` may not import `certificates`.
    """

    @abstractmethod
    def refuse_conflicts(self, db: Session, run: ImportRun, first: int = 0, last: int | None = None) -> int:
        """Refuse new rows whose certificate number belongs to another person; returns the number of rows refused.

        Covers the whole file, or the offerings numbered from first to last.
        """

    @abstractmethod
    def keep(self, db: Session, run: ImportRun) -> None:
        """Store the certificates of the rows in the temporary table `placed`."""

    @abstractmethod
    def take_back(self, db: Session, run: ImportRun, first: int, last: int) -> Sequence[str]:
        """Remove the certificates of the offerings in the temporary table `concerned`; returns the names that stay."""


class PastTrainings(ImportKind):
    """The import kind `past`."""

    name = "past"
    presence_column = "present"
    title = N_("Past trainings")
    hint = N_(
        "One row for each person in each offering. People, enrolments and attendances are imported, and the "
        "offering is counted. Certificate numbers can then be verified as legacy certificates of the district's Red"
        " Cross. The column of sessions attended holds a mark, such as √ or ×, or the numbers of the sessions: 2 is the second"
        " session alone, 1;2 are both."
    )
    caution = N_(
        "An offering is imported only as a whole: if one of its rows is wrong, none of its rows are imported and "
        "all of them are listed in this file. Correct or remove the wrong rows. A row with a remark is imported without"
        " the cell that the remark names. A wrong row of somebody who attended no session is left out alone: correct it before"
        " you import, because nobody can be added to the offering afterwards."
    )
    columns = COLUMNS
    steps = ("people", "offerings")
    undo_steps = UNDO_STEPS
    remarks = REMARKS | {UNPRINTABLE: UNPRINTABLE_NAME}
    remarks_to_correct = frozenset({"left_out", "left_out_both"})
    reasons = {  # noqa: RUF012  # read only
        "presence_empty": N_(
            "The cell “%(column)s” is empty, and others hold a mark. Say on the page of the columns what an empty cell means, or"
            " fill it in."
        ),
        "double": N_("Line %(line)s already has the same person for this offering."),
        "offering_waits": N_(
            "This row is correct, but line %(line)s of the same offering is wrong. Correct that line, "
            "and send all of them together."
        ),
        "misnamed": N_(
            "The name and the ID number do not belong together. Check both on the document; if both are right, ask the city."
        ),
        "offering_known": N_(
            "This offering is already registered without this person, and a file adds nobody to it. If an import made it, undo"
            " that import and send its whole file again with this row corrected. Otherwise correct it on the offering's page."
        ),
        "certificate_ours": N_(
            "The certificate number belongs to a certificate issued by this system. Correct it, or leave it empty."
        ),
        "certificate_taken": N_(
            "The certificate number already belongs to another person. Correct it, or leave it empty."
        ),
        "certificate_twice": N_(
            "Line %(line)s gives the same certificate number to another person. Correct both lines."
        ),
    }

    waiting_codes = frozenset({"offering_waits"})

    def __init__(self) -> None:
        self.certificate_keepers: list[CertificateKeeper] = []

    def stage(self, db: Session, run: ImportRun, rows: Iterator[FileRow], context: ImportContext) -> Iterator[int]:
        """See `ImportKind.stage`: personal data is encrypted before it is stored."""
        reader = PastRowReader(db, run, clock.today(context.zone))
        prefix = f"{run.id}\t".encode()
        while batch := list(islice(rows, context.chunk)):
            bad: list[bytes] = []
            good = _read(reader, batch, run.id, prefix, bad)
            staging.copy_lines(db, "import_attendance", ATTENDANCE_COLUMNS, good)
            if bad:
                staging.copy_lines(db, "import_line", staging.LINE_COLUMNS, bad)
            if reader.new_offerings:
                db.execute(
                    insert(ImportOffering),
                    [
                        {"run_id": run.id, **dict(zip(OFFERING_FIELDS, values, strict=True))}
                        for values in reader.new_offerings
                    ],
                )
                reader.new_offerings = []
            if reader.marks and not run.tally.get(MARKS):
                run.tally = {**run.tally, MARKS: 1}
            yield batch[-1][0]

    def match(self, db: Session, run: ImportRun, context: ImportContext) -> None:
        """See `ImportKind.match`: identifies people within the file and in the register, and offerings that exist."""
        past_keys.unify(db, run)
        values = {"run": run.id, "zone": context.zone.key, "first": 0, "last": 2**31 - 1, "everything": True}
        with statements.index_scans(db):
            statements.execute(db, FILE, "known", **values)
            for name in ("remarked", "take_remarks"):
                statements.execute(db, FILE, name, **values)
            if run.tally.get(MARKS):
                statements.execute(db, FILE, "refuse_empty", empty=presence.EMPTY_CELL, **values)
        with statements.hash_joins(db):
            for name in ("group", "turns", "wanted"):
                statements.execute(db, FILE, name, **values)
        db.execute(text("ANALYZE grouped, wanted"))
        with statements.index_scans(db):
            past_keys.find(db, run)
            db.execute(text("ANALYZE found"))
            statements.execute(db, FILE, "there", **values)
        with statements.hash_joins(db):
            statements.execute(db, FILE, "judge", **values)
            for keeper in self.certificate_keepers:
                keeper.refuse_conflicts(db, run)
            statements.execute(db, FILE, "hold_back", **values)
            statements.execute(db, FILE, "write_remarks", **values)
            statements.execute(db, FILE, "persons", **values)
        db.execute(text("DROP TABLE grouped, wanted, found, there, remarked"))

    def overlaps(self, db: Session, run: ImportRun) -> list[Overlap]:
        """See `ImportKind.overlaps`: months that have an opening balance of the programme."""
        return overlaps.of_past_trainings(db, run)

    def total(self, db: Session, run: ImportRun, step: str) -> int:
        """See `ImportKind.total`: the last line of a person, or the number of offerings."""
        if step == "people":
            return db.scalar(select(func.max(ImportPerson.line)).where(ImportPerson.run_id == run.id)) or 0
        return db.scalar(select(func.max(ImportOffering.number)).where(ImportOffering.run_id == run.id)) or 0

    def import_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:
        """Write people, then offerings with their enrolments, attendances and ledger lines."""
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if step == "people":
            return self._people(db, run, context)
        return self._offerings(db, run, context)

    @staticmethod
    def _people(db: Session, run: ImportRun, context: ImportContext) -> int | None:
        last = staging.last_person_line(db, run, context.chunk)
        if last is None:
            return None
        values = {"run": run.id, "first": run.cursor, "last": last, "now": clock.now()}
        missing = -1
        while missing:  # a person whom another transaction registers at this moment is found in the next turn
            with statements.hash_joins(db):
                statements.execute(db, FILE, "missing", **values)
            db.execute(text("ANALYZE wanted"))
            with statements.index_scans(db):
                past_keys.find(db, run, lock=True)  # people registered since the check
                db.execute(text("ANALYZE found"))
                enlisted = statements.execute(db, FILE, "enlist", **values).rowcount
            missing = (db.scalar(text("SELECT count(*) FROM wanted")) or 0) - enlisted
            db.execute(text("DROP TABLE wanted, found"))
        return last

    def _offerings(self, db: Session, run: ImportRun, context: ImportContext) -> int | None:
        first, last = run.cursor + 1, self._last(db, run, context.chunk)
        if last is None:
            return None
        values: dict[str, Any] = {
            "run": run.id, "first": first, "last": last, "zone": context.zone.key, "now": clock.now(),
            "user": audit.actor(db), "today": clock.today(context.zone), "everything": False,
        }  # fmt: skip
        with statements.index_scans(db):
            statements.execute(db, FILE, "known", **values)
            refused = statements.execute(db, FILE, "refuse_known", **values).rowcount
            refused += sum(keeper.refuse_conflicts(db, run, first, last) for keeper in self.certificate_keepers)
        if refused:  # offerings or certificates that others made since the check
            with statements.hash_joins(db):
                statements.execute(db, FILE, "hold_back", **values)
                statements.execute(db, FILE, "idle", **values)
            db.execute(text("ANALYZE idle"))
            with statements.index_scans(db):
                statements.execute(db, FILE, "forget", **values)
            db.execute(text("DROP TABLE idle"))
        with statements.index_scans(db):
            statements.execute(db, FILE, "offered", **values)
            db.execute(text("ANALYZE offered"))
            for name in ("remember", "meeting"):
                statements.execute(db, FILE, name, **values)
            with statements.hash_joins(db):
                statements.execute(db, FILE, "chosen", **values)
            db.execute(text("ANALYZE meeting, chosen"))
        with statements.joins_in_order(db):
            placed = statements.execute(db, FILE, "placed", **values).rowcount
        with statements.index_scans(db), ThreadPoolExecutor(1) as beside:
            tickets = beside.submit(_tickets, crypto.cipher(), placed)  # while the database works
            db.execute(text("ANALYZE placed"))
            statements.execute(db, FILE, "presence", **values)
            db.execute(text("ANALYZE presence"))
            statements.execute(db, FILE, "judged", **values)
            self._keep_tickets(db, tickets.result())
            quarters.lock_open(db)
            for name in ("offering", "session", "lead", "enrolment", "event", "attendance", "closing"):
                statements.execute(db, FILE, f"write_{name}", **values)
            past_closing.count_certificates(db)
            statements.execute(db, FILE, "write_participation")
        for keeper in self.certificate_keepers:
            keeper.keep(db, run)
        offerings, enrolments = db.execute(
            text("SELECT (SELECT count(*) FROM offered), (SELECT count(*) FROM placed)")
        ).one()
        db.execute(text("DROP TABLE offered, meeting, chosen, placed, presence, judged, ticketed"))
        _add(run, offerings=offerings, enrolments=enrolments)
        return last

    @staticmethod
    def _keep_tickets(db: Session, tickets: Sequence[str]) -> None:
        """Give a ticket to each enrolment in the temporary table `judged`, in the table `ticketed`."""
        statements.execute(db, FILE, "ticketed")
        ids = db.scalars(text("SELECT id FROM judged")).all()
        numbered = "".join([f"{number}{ticket}" for number, ticket in zip(ids, tickets, strict=True)])
        staging.copy_lines(db, "ticketed", ("id", "ticket_hash", "ticket_sealed"), [numbered.encode()])
        db.execute(text("ANALYZE ticketed"))

    @staticmethod
    def _last(db: Session, run: ImportRun, chunk: int) -> int | None:
        """Return the number of the last offering of a chunk: as many rows as fit, but at least one offering."""
        remaining = select(ImportLine.number).where(
            ImportLine.run_id == run.id, ImportLine.number > run.cursor, ImportLine.outcome == RowOutcome.NEW
        )
        beyond = db.scalar(remaining.order_by(ImportLine.number).offset(chunk).limit(1))
        fitting = remaining if beyond is None else remaining.where(ImportLine.number < beyond)
        last = db.scalar(fitting.order_by(ImportLine.number.desc()).limit(1))
        return beyond if last is None else last

    def undo_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:
        """Undo one chunk, see `courses.imports.past_undo`."""
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        return undo_chunk(db, run, step, context, [keeper.take_back for keeper in self.certificate_keepers])


def _tickets(cipher: FieldCipher, number: int) -> list[str]:
    """So many new tickets, sealed, each as the end of a line of COPY."""
    sealed = ticket_sealer(cipher)
    made = (sealed(crypto.token().encode()) for _ticket in range(number))
    return [f"\t\\\\x{ticket_hash.hex()}\t\\\\x{ticket_sealed.hex()}\n" for ticket_hash, ticket_sealed in made]


def _read(
    reader: PastRowReader, batch: Sequence[FileRow], run_id: int, prefix: bytes, bad: list[bytes]
) -> Iterator[bytes]:
    """Yield the lines of rows, some hundreds at a time, so that the database writes them while others are read.

    prefix: what each of their lines begins with. Refusals and remarks are added to `bad`. The reader may ask the database
    nothing meanwhile: its connection is busy with the COPY.
    """
    rows = iter(batch)
    while piece := list(islice(rows, PIECE_ROWS)):
        good: list[bytes] = []
        for line, cells in piece:
            try:
                good.append(prefix + reader.line(line, cells) + b"\n")
            except DomainError as error:
                bad.append(staging.refused_line(run_id, line, error, reader.key))
            else:
                if reader.remark is not None:
                    bad.append(staging.remark_line(run_id, line, reader.remark.code, reader.remark.params))
        yield b"".join(good)


def _add(run: ImportRun, **numbers: int) -> None:
    run.tally = {**run.tally, **{name: run.tally.get(name, 0) + number for name, number in numbers.items()}}


PAST_TRAININGS = PastTrainings()
register(PAST_TRAININGS)
