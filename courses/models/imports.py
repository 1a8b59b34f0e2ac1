"""Imports: the file as it was sent, what was made of each of its rows, and where the work is.

The tables of rows bear no foreign keys: they are written by COPY, a million at once, and erased with their import.
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
    func,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope


class ImportState(StrEnum):
    """received → checking → checked → running → done → undoing → undone; stopped and failed can be taken up again."""

    RECEIVED = "received"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    STOPPED = "stopped"
    FAILED = "failed"


class Outcome(StrEnum):
    """What becomes of a row: it goes in, is there already, is the same as an earlier row, or cannot go in."""

    NEW = "new"
    KNOWN = "known"
    DOUBLE = "double"
    REFUSED = "refused"


class ImportRun(Base):
    """One file on its way in.

    district_ids: whose rows may go in; null is the whole city. mapping: field → column of the file, from 0. doing: the state
    that work goes on with after a stop. step and cursor: where the work is; `cursor` of `total` is what the progress shows.
    tally: numbers by outcome, and what was made. notes: what an undo kept, and why.
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
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState), default=ImportState.RECEIVED)
    doing: Mapped[ImportState | None] = mapped_column(EnumText(ImportState))
    stop_asked: Mapped[bool] = mapped_column(default=False)
    head_line: Mapped[int] = mapped_column(Integer)
    headings: Mapped[list[str]] = mapped_column(JSONB)
    mapping: Mapped[dict[str, int]] = mapped_column(JSONB)
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
        """The city sees all; a district's administrator the own ones: a file may name people of other districts."""
        return true() if scope.everything else cls.user_id == scope.user_id


class ImportPiece(Base):
    """A piece of the file, sealed. Piece -1 repeats the first rows, read, for the preview."""

    __tablename__ = "import_piece"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportMapping(Base):
    """Which heading a user last chose for each field of a kind."""

    __tablename__ = "import_mapping"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    headings: Mapped[dict[str, str]] = mapped_column(JSONB)


class ImportLine(Base):
    """One row of the file. code and params: why it does not go in.

    facts, key, made_id: what it says, what makes it the same as another, and the record that it became (small kinds).
    number, person: its offering's number in the import, and the line that stands for the same person (past trainings).
    """

    __tablename__ = "import_line"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    outcome: Mapped[Outcome] = mapped_column(EnumText(Outcome))
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
    """What a row says of a person at an offering, ready to be written: checked, sealed and indexed.

    `present`: bits, one a session.
    """

    __tablename__ = "import_attendance"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    offering_key: Mapped[UUID]
    ref: Mapped[UUID]
    name: Mapped[str]
    name_key: Mapped[str]
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
    """A past offering as the rows name it. `number`: its turn. known_id: the offering that is there already."""

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
    """A person of the file, by the first line that tells of them: the record that is theirs. made: by this import."""

    __tablename__ = "import_person"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    trainee_id: Mapped[int | None]
    made: Mapped[bool] = mapped_column(default=False)
