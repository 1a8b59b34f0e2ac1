"""Import kinds whose rows are independent: organisations, instructors, opening balances, legacy certificates.

Such a kind defines how a row is read, which rows are known already, how rows are written, and how they are undone. A
row that was read is stored as JSON in `import_line`, personal data in it encrypted, with a key that is equal for rows
that say the same. Rows are classified when the file is checked, and again, chunk by chunk, in the transaction that
writes them.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from courses.imports import cells, known_values, staging, statements
from courses.imports.cells import refusal
from courses.imports.files import FileRow, clean
from courses.imports.kinds import ImportContext, ImportKind
from courses.imports.known_values import KnownValues
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.core import audit, clock
from lms.core.cell_text import is_empty, refuse_error
from lms.core.db import Base
from lms.core.errors import N_, DomainError
from lms.organisations.models import District

Cells = Mapping[str, str]
CELL_LIMIT = 200  # characters
NOTES_LIMIT = 100  # records that an undo could not remove and that the import names
LAST_LINE = 2**31 - 1
_LOCK = 0x696D7074


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row that was read: its facts as JSON values, and the key that is equal for rows that say the same.

    remark: a code of the kind's `remarks`. params: the parameters of its msgid.
    """

    facts: Mapping[str, Any]
    key: str
    remark: str | None = None
    params: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LineRange:
    """The lines of an import that a statement covers: after `first`, up to and including `last`."""

    run: ImportRun
    first: int = 0
    last: int = LAST_LINE

    @property
    def values(self) -> dict[str, Any]:
        """The range as parameters of a statement."""
        return {"run": self.run.id, "first": self.first, "last": self.last}


_PART = "line.run_id = :run AND line.line > :first AND line.line <= :last AND line.outcome = 'new'"


def range_sql(template: str) -> TextClause:
    """Return a statement; `{part}` in it is the condition on the new rows of a LineRange, on `line`."""
    return text(template.replace("{part}", _PART))


_DOUBLE = text(
    "UPDATE import_line AS line SET outcome = 'double', code = 'double', params = jsonb_build_object('line', same.earliest)"
    " FROM (SELECT line, min(line) OVER (PARTITION BY key) AS earliest FROM import_line"
    " WHERE run_id = :run AND outcome = 'new') AS same"
    " WHERE line.run_id = :run AND line.line = same.line AND same.line > same.earliest"
)


class RowKind(ImportKind):
    """An import kind with independent rows."""

    steps = ("rows",)
    undo_steps: Sequence[str] = ("undo_rows",)

    @abstractmethod
    def row_reader(self, db: Session, run: ImportRun, context: ImportContext) -> Callable[[Cells], ParsedRow]:
        """Return the function that reads a row (field → cell). The function raises DomainError for a row at fault."""

    @abstractmethod
    def classify(self, db: Session, part: LineRange) -> None:
        """Mark the new rows that are known already, and those that contradict existing records."""

    @abstractmethod
    def write(self, db: Session, part: LineRange) -> None:
        """Write the new rows, and store in `made_id` the record that each became."""

    @abstractmethod
    def undo_rows(self, db: Session, part: LineRange, step: str) -> tuple[int, Sequence[str]]:
        """Remove the records that rows became.

        Returns the number removed, and the names of the records that stay because they were used or changed.
        """

    def classify_together(self, db: Session, run: ImportRun) -> None:
        """Mark rows that contradict other rows of the file, once all are read. By default rows never do."""

    def stage(self, db: Session, run: ImportRun, rows: Iterator[FileRow], context: ImportContext) -> Iterator[int]:
        """See `ImportKind.stage`."""
        read_row = known_values.reading(self.row_reader(db, run, context), KnownValues(db, run))
        required = [column.name for column in self.columns if column.required]
        literal = {column.name for column in self.columns if column.literal}
        while batch := list(islice(rows, context.chunk)):
            lines = []
            for line, raw in batch:
                try:
                    row = {name: clean(raw[at]) for name, at in run.mapping.items() if at < len(raw) and raw[at]}
                    row = {name: cell for name, cell in row.items() if name in literal or not is_empty(cell)}
                    _check_cells(row, required)
                    parsed = read_row(row)
                except DomainError as error:
                    lines.append(staging.refused_line(run.id, line, error))
                else:
                    remark = (parsed.remark, parsed.params)
                    lines.append(staging.parsed_line(run.id, line, parsed.facts, parsed.key, remark))
            staging.copy_lines(db, "import_line", staging.LINE_COLUMNS, lines)
            yield batch[-1][0]

    def match(self, db: Session, run: ImportRun, context: ImportContext) -> None:  # noqa: ARG002  # signature of ImportKind
        """See `ImportKind.match`."""
        with statements.hash_joins(db):
            db.execute(_DOUBLE, {"run": run.id})
        self.classify(db, LineRange(run))
        self.classify_together(db, run)

    def total(self, db: Session, run: ImportRun, step: str) -> int:  # noqa: ARG002  # signature of ImportKind
        """The last line of the file, whatever the step."""
        return db.scalar(select(func.max(ImportLine.line)).where(ImportLine.run_id == run.id)) or 0

    def import_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:  # noqa: ARG002  # signature of ImportKind
        """Write one chunk, classified again before: the same record may have been entered since the check."""
        last = self.last_line(db, run, context.chunk)
        if last is None:
            return None
        lock_kind(db, self.name)
        part = LineRange(run, run.cursor, last)
        self.classify(db, part)
        self.write(db, part)
        return last

    def undo_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:
        """Undo one chunk."""
        last = self.last_line(db, run, context.chunk)
        if last is None:
            return None
        lock_kind(db, self.name)
        removed, remaining = self.undo_rows(db, LineRange(run, run.cursor, last), step)
        notes = [note for note in remaining if note not in run.notes]
        run.notes = [*run.notes, *notes[: max(0, NOTES_LIMIT - len(run.notes))]]
        counted = {"undone_rows": removed, "kept_rows": len(remaining)}
        run.tally = {**run.tally, **{name: run.tally.get(name, 0) + number for name, number in counted.items()}}
        return last

    def last_line(self, db: Session, run: ImportRun, chunk: int) -> int | None:
        """Return the last line of the chunk after the cursor; None when no new row is left."""
        lines = (
            select(ImportLine.line)
            .where(ImportLine.run_id == run.id, ImportLine.line > run.cursor, ImportLine.outcome == RowOutcome.NEW)
            .order_by(ImportLine.line)
            .limit(chunk)
            .subquery()
        )
        last: int | None = db.scalar(select(func.max(lines.c.line)))
        return last


def _check_cells(row: Cells, required: Iterable[str]) -> None:
    for name in required:
        if not row.get(name):
            raise cells.missing_cell(name)
    for cell in row.values():
        if len(cell) > CELL_LIMIT:
            raise refusal("cell_long", N_("A cell contains more than %(most)s characters."), most=CELL_LIMIT)
        refuse_error(cell)


def lock_kind(db: Session, name: str) -> None:
    """Keep other imports of a kind waiting until this transaction ends: two at once would make the same record twice."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key, hashtext(:name))"), {"key": _LOCK, "name": name})


def execute(db: Session, statement: TextClause, part: LineRange, **more: Any) -> int:
    """Execute a statement for a range of lines; returns the number of rows it touched. `more`: further parameters."""
    names = statement.compile().params
    values = {**part.values, "now": clock.now(), "user": audit.actor(db), **more}
    return db.execute(statement, {name: values[name] for name in names}).rowcount  # type: ignore[attr-defined, no-any-return]


def create_key_table(db: Session, table: str, rows: Iterable[tuple[str, int]]) -> None:
    """Create a temporary table of keys in use, each with the id of its record, for joining rows by key."""
    db.execute(text(f"CREATE TEMP TABLE {table} (key text, id bigint) ON COMMIT DROP"))
    taken = list(rows)
    if taken:
        db.execute(
            text(f"INSERT INTO {table} SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:ids AS bigint[]))"),  # noqa: S608  # our name
            {"keys": [key for key, _id in taken], "ids": [identity for _key, identity in taken]},
        )
    db.execute(text(f"ANALYZE {table}"))


def drop_tables(db: Session, *tables: str) -> None:
    """Drop temporary tables, so that the next chunk of the same transaction can create them again."""
    db.execute(text(f"DROP TABLE {', '.join(tables)}"))


def is_referenced(model: type[Base], *but: str) -> str:
    """Return the SQL condition that another table refers to the row. `but`: tables whose references do not count.

    Each table is read once for a chunk, because not every foreign key has an index.
    """
    name = model.__tablename__
    references = [
        f"{name}.id IN (SELECT {key.parent.name} FROM {table.name} WHERE {key.parent.name} IS NOT NULL)"  # noqa: S608  # our names
        for table in Base.metadata.sorted_tables
        if table.name not in but
        for key in table.foreign_keys
        if key.column.table.name == name
    ]
    return "(" + " OR ".join(references or ["false"]) + ")"


def delete_unused(  # noqa: PLR0917  # the parts of one statement, in its order
    db: Session, part: LineRange, table: str, made: str, free: str, named: str
) -> tuple[int, list[str]]:
    """Delete the records of a range of lines that may go, with an audit entry each.

    made: the FROM clause that joins the records to their lines. free: the SQL condition that a record may go. named:
    the SQL expression of its name. Returns the number deleted, and the names of the records that stay, as "#12 name".
    """
    query = f"SELECT {table}.id, {named} AS name, ({free}) AS free FROM {made}"  # noqa: S608  # our names
    db.execute(range_sql(f"CREATE TEMP TABLE going ON COMMIT DROP AS {query}"), part.values)
    db.execute(text(f"DELETE FROM {table} USING going WHERE going.free AND going.id = {table}.id"))  # noqa: S608  # our names
    deleted = db.execute(
        text(
            "INSERT INTO audit_entry (at, user_id, action, subject) SELECT CAST(:now AS timestamptz), CAST(:user AS bigint),"
            " CAST(:action AS text), CAST(:table AS text) || ':' || id FROM going WHERE free ORDER BY id"
        ),
        {"now": clock.now(), "user": audit.actor(db), "action": f"{table}.remove", "table": table},
    )
    remaining = db.execute(text("SELECT id, name FROM going WHERE NOT free ORDER BY id")).all()
    drop_tables(db, "going")
    return deleted.rowcount, [f"#{identity} {name}" for identity, name in remaining]  # type: ignore[attr-defined]


class DistrictLookup:
    """Districts by code and names, limited to those that the user of the import may write to."""

    def __init__(self, db: Session, run: ImportRun) -> None:
        rows = db.execute(select(District.id, District.code, District.name_zh, District.name_en))
        self._by_name = cells.lookup_table(
            {identity: (code, zh, zh.removesuffix("区"), en) for identity, code, zh, en in rows}
        )
        self._scope = None if run.district_ids is None else frozenset(run.district_ids)

    def find(self, text: str) -> int:
        """Return the id of a district.

        Raises DomainError for an unknown one, and for one that the user may not write to.
        """
        district_id = cells.look_up(text, self._by_name, "district", N_("There is no district “%(text)s”."))
        if self._scope is not None and district_id not in self._scope:
            raise refusal("other_district", N_("“%(text)s” is not your district."), text=text)
        return district_id
