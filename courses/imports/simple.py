"""Kinds whose rows each stand alone: what is theirs is reading a row, knowing what is there, writing and taking back.

A row waits as JSON in `import_line`, what is personal in it sealed already, with a key that is equal for rows that say the
same. Rows are judged when the file is checked and again, chunk by chunk, in the transaction that writes them.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from courses.imports import cells, staging, statements
from courses.imports.cells import refused
from courses.imports.files import Row, clean
from courses.imports.kinds import Context, Kind
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.core import audit, clock
from lms.core.db import Base
from lms.core.errors import N_, DomainError
from lms.organisations.models import District

Cells = Mapping[str, str]
LONGEST = 200
NAMED = 100  # rows that an undo keeps, at most, by name
LAST = 2**31 - 1
_TURN = 0x696D7074


@dataclass(frozen=True, slots=True)
class Fact:
    """What a row says, as JSON, and what makes it the same as another."""

    facts: Mapping[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of an import that a statement works on: after `first`, up to `last`."""

    run: ImportRun
    first: int = 0
    last: int = LAST

    @property
    def values(self) -> dict[str, Any]:
        """As parameters."""
        return {"run": self.run.id, "first": self.first, "last": self.last}


_PART = "line.run_id = :run AND line.line > :first AND line.line <= :last AND line.outcome = 'new'"


def sql(statement: str) -> TextClause:
    """A statement of a kind. {part}: the new rows of a part, where `import_line` is called `line`."""
    return text(statement.replace("{part}", _PART))


_DOUBLE = text(
    "UPDATE import_line AS line SET outcome = 'double', code = 'double', params = jsonb_build_object('line', same.earliest)"
    " FROM (SELECT line, min(line) OVER (PARTITION BY key) AS earliest FROM import_line"
    " WHERE run_id = :run AND outcome = 'new') AS same"
    " WHERE line.run_id = :run AND line.line = same.line AND same.line > same.earliest"
)


class Simple(Kind):
    """A kind of rows that stand alone."""

    steps = ("rows",)
    undo_steps: Sequence[str] = ("undo_rows",)

    @abstractmethod
    def reader(self, db: Session, run: ImportRun, context: Context) -> Callable[[Cells], Fact]:
        """What reads a row. It raises DomainError for one that cannot go in."""

    @abstractmethod
    def judge(self, db: Session, part: Part) -> None:
        """Say of the new rows which are known, and which cannot go in beside what is there."""

    @abstractmethod
    def write(self, db: Session, part: Part) -> None:
        """Let the new rows in, and note in `made_id` what each became."""

    @abstractmethod
    def take_back(self, db: Session, part: Part, step: str) -> tuple[int, Sequence[str]]:
        """Remove what rows became: how many went, and the names of those that stay because they are used or changed."""

    def settle(self, db: Session, run: ImportRun) -> None:
        """Where rows depend on each other: what becomes of them, once all are read."""

    def stage(self, db: Session, run: ImportRun, rows: Iterator[Row], context: Context) -> Iterator[int]:
        """Rows in, checked."""
        read = self.reader(db, run, context)
        needed = [column.name for column in self.columns if column.needed]
        while batch := list(islice(rows, context.chunk)):
            lines = []
            for line, row in batch:
                try:
                    given = {name: clean(row[at]) for name, at in run.mapping.items() if at < len(row) and row[at]}
                    _demand(given, needed)
                    found = read(given)
                except DomainError as error:
                    lines.append(staging.refused_line(run.id, line, error))
                else:
                    lines.append(staging.fact_line(run.id, line, found.facts, found.key))
            staging.copy(db, "import_line", staging.LINE, lines)
            yield batch[-1][0]

    def match(self, db: Session, run: ImportRun, context: Context) -> None:  # noqa: ARG002  # the engine's form
        """Doubles, and what is there already."""
        with statements.by_hash(db):
            db.execute(_DOUBLE, {"run": run.id})
        self.judge(db, Part(run))
        self.settle(db, run)

    def total(self, db: Session, run: ImportRun, step: str) -> int:  # noqa: ARG002  # the engine's form
        """The last line."""
        return db.scalar(select(func.max(ImportLine.line)).where(ImportLine.run_id == run.id)) or 0

    def move(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:  # noqa: ARG002  # the engine's form
        """A chunk in, judged once more in its turn: somebody may have entered the same meanwhile."""
        last = self.last(db, run, context.chunk)
        if last is None:
            return None
        take_turn(db, self.name)
        part = Part(run, run.cursor, last)
        self.judge(db, part)
        self.write(db, part)
        return last

    def undo(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:
        """A chunk back."""
        last = self.last(db, run, context.chunk)
        if last is None:
            return None
        take_turn(db, self.name)
        gone, kept = self.take_back(db, Part(run, run.cursor, last), step)
        run.notes = [*run.notes, *kept[: max(0, NAMED - len(run.notes))]]
        counted = {"undone_rows": gone, "kept_rows": len(kept)}
        run.tally = {**run.tally, **{name: run.tally.get(name, 0) + number for name, number in counted.items()}}
        return last

    def last(self, db: Session, run: ImportRun, chunk: int) -> int | None:
        """The last line of the chunk after the cursor; None at the end."""
        lines = (
            select(ImportLine.line)
            .where(ImportLine.run_id == run.id, ImportLine.line > run.cursor, ImportLine.outcome == RowOutcome.NEW)
            .order_by(ImportLine.line)
            .limit(chunk)
            .subquery()
        )
        found: int | None = db.scalar(select(func.max(lines.c.line)))
        return found


def _demand(given: Cells, needed: Iterable[str]) -> None:
    for name in needed:
        if not given.get(name):
            raise cells.missing(name)
    if any(len(cell) > LONGEST for cell in given.values()):
        raise refused("cell_long", N_("A cell holds more than %(most)s characters."), most=LONGEST)


def take_turn(db: Session, name: str) -> None:
    """Let one import write rows of a kind at a time, until the transaction ends: two would make the same record twice."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key, hashtext(:name))"), {"key": _TURN, "name": name})


def run_part(db: Session, statement: TextClause, part: Part, **more: Any) -> int:
    """Send a statement for a part; how many rows it touched."""
    names = statement.compile().params
    values = {**part.values, "now": clock.now(), "user": audit.actor(db), **more}
    return db.execute(statement, {name: values[name] for name in names}).rowcount  # type: ignore[attr-defined, no-any-return]


def keys(db: Session, table: str, rows: Iterable[tuple[str, int]]) -> None:
    """Make a temporary table of keys that are taken, each with the record that holds it: a small register, compared by words."""
    db.execute(text(f"CREATE TEMP TABLE {table} (key text, id bigint) ON COMMIT DROP"))
    held = list(rows)
    if held:
        db.execute(
            text(f"INSERT INTO {table} SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:ids AS bigint[]))"),  # noqa: S608  # our name
            {"keys": [key for key, _row in held], "ids": [row for _key, row in held]},
        )
    db.execute(text(f"ANALYZE {table}"))


def drop(db: Session, *tables: str) -> None:
    """Drop temporary tables, for the next chunk of the same transaction."""
    db.execute(text(f"DROP TABLE {', '.join(tables)}"))


def referred(model: type[Base], *but: str) -> str:
    """A condition in SQL: any other table refers to the row. `but`: tables whose rows do not count.

    Each table is read once for a chunk: not every reference has an index.
    """
    name = model.__tablename__
    found = [
        f"{name}.id IN (SELECT {key.parent.name} FROM {table.name} WHERE {key.parent.name} IS NOT NULL)"  # noqa: S608  # our names
        for table in Base.metadata.sorted_tables
        if table.name not in but
        for key in table.foreign_keys
        if key.column.table.name == name
    ]
    return "(" + " OR ".join(found or ["false"]) + ")"


def remove(  # noqa: PLR0917  # the parts of one statement, in its order
    db: Session, part: Part, table: str, made: str, free: str, named: str
) -> tuple[int, list[str]]:
    """Delete the records of a part that are free to go, with an audit entry each; how many, and the names of the others.

    made: what joins them to their lines. free: the condition. named: what they are called, as it is noted.
    """
    judged = f"SELECT {table}.id, {named} AS name, ({free}) AS free FROM {made}"  # noqa: S608  # our names
    db.execute(sql(f"CREATE TEMP TABLE going ON COMMIT DROP AS {judged}"), part.values)
    db.execute(text(f"DELETE FROM {table} USING going WHERE going.free AND going.id = {table}.id"))  # noqa: S608  # our names
    gone = db.execute(
        text(
            "INSERT INTO audit_entry (at, user_id, action, subject) SELECT CAST(:now AS timestamptz), CAST(:user AS bigint),"
            " CAST(:action AS text), CAST(:table AS text) || ':' || id FROM going WHERE free ORDER BY id"
        ),
        {"now": clock.now(), "user": audit.actor(db), "action": f"{table}.remove", "table": table},
    )
    kept = db.execute(text("SELECT id, name FROM going WHERE NOT free ORDER BY id")).all()
    drop(db, "going")
    return gone.rowcount, [f"#{one} {name}" for one, name in kept]  # type: ignore[attr-defined]


class Districts:
    """Districts by their words, within what an import's user may write to."""

    def __init__(self, db: Session, run: ImportRun) -> None:
        rows = db.execute(select(District.id, District.code, District.name_zh, District.name_en))
        self._words = cells.table({one: (code, zh, zh.removesuffix("区"), en) for one, code, zh, en in rows})
        self._scope = None if run.district_ids is None else frozenset(run.district_ids)

    def find(self, text: str) -> int:
        """A district. Raises DomainError for an unknown one, and for one of others."""
        found = cells.named(text, self._words, "district", N_("There is no district “%(text)s”."))
        if self._scope is not None and found not in self._scope:
            raise refused("other_district", N_("“%(text)s” is not your district."), text=text)
        return found
