"""Imports: the file as it was sent, the outcome of each of its rows, and the progress of the work.

The tables of rows have no foreign keys: COPY writes them, a million at once, and they are erased with their import.
"""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Time,
    UniqueConstraint,
    func,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope

PIECE_COLUMN = "import_piece.content"


class ImportState(StrEnum):
    """received → checking → checked → running → done → undoing → undone.

    Work can resume from stopped and from failed.
    """

    RECEIVED = "received"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    STOPPED = "stopped"
    FAILED = "failed"


class RowOutcome(StrEnum):
    """The outcome of one row of the file.

    new: the row is imported. known: its record exists already. double: an earlier row says the same. refused: the row
    cannot be imported.
    """

    NEW = "new"
    KNOWN = "known"
    DOUBLE = "double"
    REFUSED = "refused"


class ImportRun(Base):
    """An imported file.

    `sheet_name` is the sheet that is read: "" for CSV, null while the user has to choose one. `hidden` says that hidden
    rows and columns are read too. `delimiter` parts the columns of CSV. `mapping` maps a field to a column of the file,
    counted from 0. `meanings` maps values of the column of presence to the meaning that the user gave them, see
    `courses.imports.presence`. `district_ids` are the districts whose rows may be imported, or null for the whole city.
    `doing` is the state in which work resumes after a stop. `step` and `cursor` are the position of the work; the progress
    page shows `cursor` of `total`. `tally` counts rows by outcome, and the records that were made. `notes` list the records
    that an undo did not remove, and why.
    """

    __tablename__ = "import_run"

    id: Mapped[Identifier]
    ref: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    kind: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    district_ids: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    file_name: Mapped[str]
    file_bytes: Mapped[int]
    encoding: Mapped[str]
    sheet_name: Mapped[str | None]
    hidden: Mapped[bool] = mapped_column(default=False)
    delimiter: Mapped[str] = mapped_column(default="")
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState), default=ImportState.RECEIVED)
    doing: Mapped[ImportState | None] = mapped_column(EnumText(ImportState))
    stop_asked: Mapped[bool] = mapped_column(default=False)
    head_line: Mapped[int] = mapped_column(Integer)
    headings: Mapped[list[str]] = mapped_column(JSONB)
    mapping: Mapped[dict[str, int]] = mapped_column(JSONB)
    meanings: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    step: Mapped[str] = mapped_column(default="read")
    cursor: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    tally: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    notes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    problem: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    finished_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint(
            "state IN ('received', 'checking', 'checked', 'running', 'done', 'undoing', 'undone', 'stopped', 'failed')",
            name="state",
        ),
        CheckConstraint("doing IN ('checking', 'running', 'undoing')", name="doing"),
        Index("ix_import_run_busy", "id", postgresql_where="state IN ('checking', 'running', 'undoing')"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """All imports for the city; a district administrator's own, because a file may name people of other districts."""
        return true() if scope.everything else cls.user_id == scope.user_id


class ImportPiece(Base):
    """A part of the file, encrypted.

    Parts with a negative number hold what was read of the file: -1 the first rows of the sheet, for the preview; -2 the
    outlines of all sheets; -3 the counted values of the columns; -4 the cells that were corrected on the page.
    """

    __tablename__ = "import_piece"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportMapping(Base):
    """The heading that a user last chose for each field of an import kind, and the meanings given to values."""

    __tablename__ = "import_mapping"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    headings: Mapped[dict[str, str]] = mapped_column(JSONB)
    meanings: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)


class KnownValue(Base):
    """A value of a file that the system did not know, and what somebody said it stands for.

    vocabulary: a member of `courses.imports.known_values.Vocabulary`. context: what the value is looked up within; for a
    host, the id of its district. key: the value as it is compared. target: the code or id of what it stands for.
    district_id: the district that said so, for its own files; None: the city, for all files.
    """

    __tablename__ = "import_known_value"

    id: Mapped[Identifier]
    vocabulary: Mapped[str]
    context: Mapped[str] = mapped_column(default="")
    key: Mapped[str]
    text: Mapped[str]
    target: Mapped[str]
    district_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("district.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())

    __table_args__ = (
        UniqueConstraint(
            "vocabulary", "context", "key", "district_id",
            name="uq_import_known_value_key", postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("key <> '' AND target <> ''", name="named"),
    )  # fmt: skip

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """All values for the city; for a district's administrator, those of the district."""
        return scope.covers(district=cls.district_id)


class ImportLine(Base):
    """A row of the file. `code` and `params` say why the row is refused.

    The small kinds of import use `facts` (the content of the row), `key` (equal for rows that mean the same record) and
    `made_id` (the record that the row became). Imports of past trainings use `number` (the number of the row's offering
    within the import) and `person` (the first line about the same person).
    """

    __tablename__ = "import_line"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    outcome: Mapped[RowOutcome] = mapped_column(EnumText(RowOutcome))
    code: Mapped[str | None]
    params: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    key: Mapped[str | None]
    made_id: Mapped[int | None]
    number: Mapped[int | None] = mapped_column(Integer)
    person: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint("outcome IN ('new', 'known', 'double', 'refused')", name="outcome"),
        Index("ix_import_line_number", "run_id", "number", postgresql_where="number IS NOT NULL"),
    )


class ImportAttendance(Base):
    """The participation of a person in an offering by one row, ready to be written: checked, encrypted and indexed.

    `present` has one bit for each session. For example, 5 (binary 101) means present at the first and the third
    session.
    """

    __tablename__ = "import_attendance"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    offering_key: Mapped[UUID]
    ref: Mapped[UUID]
    name: Mapped[str]
    name_key: Mapped[str]
    name_sound: Mapped[str]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_type: Mapped[str | None]
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    present: Mapped[int] = mapped_column(Integer)
    arrived: Mapped[time | None] = mapped_column(Time)
    departed: Mapped[time | None] = mapped_column(Time)
    result: Mapped[str | None]
    certificate: Mapped[str | None]
    issued_on: Mapped[date | None] = mapped_column(Date)


class ImportOffering(Base):
    """A past offering that the rows name.

    `number` is its place in the order of the work. `known_id` is the id of an offering that existed before the import.
    """

    __tablename__ = "import_offering"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int | None] = mapped_column(Integer)
    course_id: Mapped[int]
    district_id: Mapped[int] = mapped_column(SmallInteger)
    organisation_id: Mapped[int]
    lead_instructor_id: Mapped[int | None]
    place: Mapped[str]
    days: Mapped[list[date]] = mapped_column(ARRAY(Date))
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    known_id: Mapped[int | None]
    offering_id: Mapped[int | None]


class ImportPerson(Base):
    """The trainee whom a person of the file became.

    `line` is the first line about the person; `made` is set when the import created the record.
    """

    __tablename__ = "import_person"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    trainee_id: Mapped[int | None]
    made: Mapped[bool] = mapped_column(default=False)
