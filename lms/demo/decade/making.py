"""The ten years of the branch's report: how large they are, and how they get into an empty database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection, sql

from lms.core.crypto import FieldCipher
from lms.demo.decade import bulk, sealing
from lms.demo.people import FAMILY, GIVEN

RESCUE = 6_680_000
RESPONDERS = 1_030_000
ORGANISATIONS = 4_159
INSTRUCTORS = 5_200
FRESH_SHARE = 0.68  # of all who enrol, those who come for the first time: about four million at full size
FEWEST = 64  # organisations and instructors, however small the years are made

# Courses as they were taught then: code, programme, names, hours, pass mark, months, type, refresher.
COURSES = (
    ("RESCUE-2008", "RESCUE", "应急救护普及班（2008版）", "Rescue training (2008)", 4, None, None, None, False),
    ("FR-2008", "FIRST_RESPONDER", "救护员（2008版）", "First responder (2008)", 16, 60, 36, 1, False),
    ("FR-REFRESHER-2008", "FIRST_RESPONDER", "救护员复训（2008版）", "Refresher (2008)", 8, 60, 36, 1, True),
)
# Written beside what the demo's accounts need, and small; the rest is large and fills tables that were empty.
BESIDE = ("organisation", "instructor", "qualification")
FILLED = (
    "trainee", "offering", "course_session", "session_instructor", "enrolment", "attendance_event", "attendance",
    "assessment", "participation",
)  # fmt: skip
LEDGER = ("person_time_entry", "legacy_certificate")
# What the rows name and triggers keep (migration 0014): table, column and what it names.
REFERENCES = (
    ("attendance_event", "course_session_id", "course_session"),
    ("attendance", "course_session_id", "course_session"),
)
NUMBERED = ("organisation", "instructor", "offering", "course_session", "trainee", "enrolment")

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """How much is made; `scale` 1 is the branch's own report to the end of 2017."""

    scale: float

    @property
    def rescue(self) -> int:
        """Person-times of rescue training, talks counted by head included."""
        return round(RESCUE * self.scale)

    @property
    def responders(self) -> int:
        """Person-times of first-responder training."""
        return round(RESPONDERS * self.scale)

    @property
    def organisations(self) -> int:
        """Hosts."""
        return max(FEWEST, round(ORGANISATIONS * self.scale))

    @property
    def instructors(self) -> int:
        """Instructors in the register."""
        return max(FEWEST, round(INSTRUCTORS * self.scale))


@dataclass(frozen=True)
class Step:
    """Where the making is: what it is at, and how many of how many rows (or indexes) are done."""

    name: str
    done: int
    total: int


class Decade:
    """The years 2008 to 2017, thought of on one connection (`source`) and written on another (`target`), uncommitted.

    The organisations and instructors that `target` holds take part; the source must see the catalogue.
    """

    def __init__(
        self,
        source: Connection[Any],
        target: Connection[Any],
        size: Size,
        cipher: FieldCipher,
        *,
        seed: int,
        zone: ZoneInfo,
    ) -> None:
        self._source = source
        self._target = target
        self._size = size
        self._cipher = cipher
        self._words: dict[str, sql.Composable] = {
            name: sql.Literal(value)
            for name, value in {
                "seed": seed,
                "zone": zone.key,
                "rescue": size.rescue,
                "responders": size.responders,
                "counted": round(size.rescue / 3),
                "hosts": size.organisations,
                "instructors": size.instructors,
                "fresh_share": FRESH_SHARE,
                "family": FAMILY,
                "given": GIVEN,
            }.items()
        }

    def make(self) -> Iterator[Step]:
        """Make everything. Raises psycopg's errors; whoever commits or rolls back is the caller."""
        self._target.execute("SET LOCAL statement_timeout = 0")
        self._target.execute("SET LOCAL maintenance_work_mem = '512MB'")
        self._target.execute("SET LOCAL work_mem = '128MB'")
        self._source.autocommit = True  # a look at a table would keep its keys from being taken off
        self._source.execute("SET statement_timeout = 0")
        self._source.execute("SET work_mem = '128MB'")
        yield Step("plan", 0, 1)
        self._plan()
        rows = self._rows()
        for table in BESIDE:
            yield from self._counted(table, rows[table], self._pour(table, frozen=False))
        burden = bulk.strip(self._target, (*FILLED, *LEDGER))
        for table in FILLED:
            yield from self._counted(table, rows[table], self._pour(table))
        first = [statement for statement in burden if not _mentions(statement, LEDGER)]
        last = [statement for statement in burden if _mentions(statement, LEDGER)]
        for done, statement in enumerate(first):
            yield Step("indexes", done, len(burden))
            self._target.execute(statement)
        for table, column, parent in REFERENCES:
            bulk.prove(self._target, table, column, parent)
        yield Step("ledger", 0, 1)
        self._write_ledger()
        for done, statement in enumerate(last, len(first)):
            yield Step("indexes", done, len(burden))
            self._target.execute(statement)
        for table in NUMBERED:
            self._target.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT max(id) FROM {}))").format(
                    sql.Literal(table), sql.Identifier(table)
                )
            )
        self._target.execute(
            sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, (*BESIDE, *FILLED, *LEDGER))))
        )
        yield Step("indexes", len(burden), len(burden))

    def somebody_certified(self) -> int:
        """A trainee who holds a certificate, for the demo's trainee account."""
        row = self._target.execute(
            "SELECT trainee_id FROM enrolment WHERE certified_at IS NOT NULL ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return int(row[0]) if row else 0

    def _plan(self) -> None:
        for code, programme, zh, en, hours, mark, months, kind, refresher in COURSES:
            self._target.execute(
                "INSERT INTO course (code, programme_code, name_zh, name_en, hours, attendance_rule, pass_mark,"
                " validity_months, trainee_ratio, capacity, certificate_type, refresher, active)"
                " VALUES (%s, %s, %s, %s, %s, 'all', %s, %s, 12, 60, %s, %s, false)",
                (code, programme, zh, en, hours, mark, months, kind, refresher),
            )
        # What the source cannot see yet: the courses, and the hosts and instructors of the demo's accounts.
        self._lend("course_then", "SELECT code, id FROM course", "code text, id bigint")
        self._lend(
            "host_hired",
            "SELECT id, district_id, sector FROM organisation",
            "id bigint, district_id smallint, sector text",
        )
        self._lend("teacher_hired", "SELECT id, district_id FROM instructor", "id bigint, district_id smallint")
        for table in NUMBERED:
            row = self._target.execute(
                sql.SQL("SELECT coalesce(max(id), 0), count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
            base, number = row or (0, 0)
            self._words |= {f"{table}_base": sql.Literal(base - number if table in BESIDE else base)}
        for statement in _statements("plan.sql"):
            self._source.execute(sql.SQL(statement).format(**self._words))

    def _lend(self, name: str, query: str, columns: str) -> None:
        self._source.execute(f"CREATE TEMP TABLE {name} ({columns})")
        with self._source.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as into:
            for row in self._target.execute(query):
                into.write_row(row)

    def _rows(self) -> Mapping[str, int]:
        """How many rows each table will have, for the progress; attendances as if nobody missed a session."""
        row = self._source.execute(
            "SELECT count(*), sum(meetings), sum(places), sum(fresh), sum(named * meetings),"
            " sum(named) FILTER (WHERE kind >= 3), count(lead_id) + count(assistant_id) FROM run"
        ).fetchone()
        offerings, meetings, places, fresh, presences, assessed, parts = (int(number or 0) for number in row or ())
        return {
            "organisation": self._size.organisations, "instructor": self._size.instructors,
            "qualification": self._size.instructors * 10, "trainee": fresh, "offering": offerings,
            "course_session": meetings, "session_instructor": parts * meetings // max(offerings, 1), "enrolment": places,
            "attendance_event": presences, "attendance": presences, "assessment": assessed, "participation": offerings,
        }  # fmt: skip

    def _pour(self, table: str, *, frozen: bool = True) -> Iterator[int]:
        (query,) = _statements(f"rows/{table}.sql")
        rows_query = sql.SQL(query).format(**self._words)
        if table == "trainee":
            change = sealing.sealing(self._cipher)
            return bulk.pour_through(
                self._source, rows_query, self._target, table, columns=sealing.COLUMNS, change=change
            )
        if table == "instructor":
            return bulk.pour_through(
                self._source, rows_query, self._target, table, columns=sealing.INSTRUCTOR_COLUMNS, change=sealing.sounding,
                frozen=False,
            )  # fmt: skip
        if table == "enrolment":
            change = sealing.sealing_tickets(self._cipher)
            return bulk.pour_through(
                self._source, rows_query, self._target, table, columns=sealing.ENROLMENT_COLUMNS, change=change
            )
        return bulk.pour(self._source, rows_query, self._target, table, frozen=frozen)

    @staticmethod
    def _counted(name: str, total: int, pieces: Iterator[int]) -> Iterator[Step]:
        done = 0
        yield Step(name, 0, total)
        for number in pieces:
            done += number
            yield Step(name, min(done, total), total)

    def _write_ledger(self) -> None:
        self._target.execute(
            "CREATE TEMP TABLE corrected (offering_id bigint, kind text, enrolment_id bigint, heads bigint, at timestamptz)"
            " ON COMMIT DROP"
        )
        (query,) = _statements("rows/corrected.sql")
        for _number in bulk.pour(self._source, sql.SQL(query), self._target, "corrected", frozen=False):
            pass
        self._target.execute("ANALYZE enrolment, trainee, offering, course_session, corrected")
        for statement in _statements("ledger.sql"):
            self._target.execute(sql.SQL(statement).format(**self._words))


def _statements(file: str) -> list[str]:
    return [part.strip() for part in (_HERE / file).read_text(encoding="utf-8").split(";\n") if part.strip()]


def _mentions(statement: str, tables: tuple[str, ...]) -> bool:
    return any(f" {table} " in statement or f".{table} " in statement for table in tables)
