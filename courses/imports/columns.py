"""The columns of an imported file: its heading row, the field that each column holds, and the columns that no field has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.imports import files, kinds, presence_values
from courses.imports.files import FIRST_ROWS, HEADING_ROWS, Extract
from courses.imports.kinds import Column, ImportKind
from courses.models.imports import ImportMapping, ImportRun
from lms.core import headings, spreadsheets
from lms.core.errors import N_, DomainError

MEANINGS_REMEMBERED = 200


@dataclass(frozen=True)
class Choices:
    """The last choices of a user for a kind: headings (field → heading), and meanings (as `ImportRun.meanings`)."""

    headings: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)


def known(kind: ImportKind, remembered: Mapping[str, str]) -> frozenset[str]:
    """Return the headings that a file of the kind may have; `remembered` are those that its user chose before."""
    return kinds.known_headings(kind.columns, remembered)


def read(db: Session, run: ImportRun, kind: ImportKind, remembered: Mapping[str, str]) -> None:
    """Read the head of the sheet that was chosen: its headings, its first rows, and the values of its columns.

    A title may stand above the headings, and they may take two rows. Without a row of known headings the first row is
    taken, so that the user can choose the columns. Raises DomainError on the field `file`.
    """
    rows = files.rows(db, run)
    first = [(line, [files.clean(cell) for cell in cells]) for line, cells in islice(rows, FIRST_ROWS)]
    if not first:
        raise DomainError("file_empty", N_("The file contains no rows."), field="file")
    heading_row = headings.find(first[:HEADING_ROWS], known(kind, remembered))
    if heading_row is None:
        run.head_line, run.headings = first[0][0], first[0][1][: spreadsheets.COLUMNS]
    else:
        run.head_line, run.headings = heading_row.line, heading_row.texts
    run.mapping = kinds.guess_mapping(kind.columns, run.headings, remembered)
    files.keep(db, run, Extract.FIRST_ROWS, first)
    if kind.presence_column:
        below = (row for row in chain(first, rows) if row[0] > run.head_line)
        files.keep(db, run, Extract.VALUES, presence_values.count(below))


def remembered(db: Session, run: ImportRun) -> Choices:
    """Return what the user of an import chose last for its kind; nothing for a command."""
    row = db.get(ImportMapping, (run.user_id, run.kind)) if run.user_id is not None else None
    return Choices() if row is None else Choices(dict(row.headings), dict(row.meanings))


def store(db: Session, run: ImportRun, mapping: Mapping[str, int], meanings: Mapping[str, str]) -> None:
    """Set which column holds which field and what values mean, and remember both for the user's next file.

    meanings: as `ImportRun.meanings`; an empty meaning takes back what the user said of the value before.
    """
    names = {column.name for column in kinds.kind_of(run.kind).columns}
    run.mapping = {name: at for name, at in mapping.items() if name in names and 0 <= at < len(run.headings)}
    run.meanings = {key: meaning for key, meaning in meanings.items() if meaning in presence_values.MEANINGS}
    if run.user_id is not None:
        headed = {name: run.headings[at] for name, at in run.mapping.items()}
        said = {**remembered(db, run).meanings, **meanings}
        said = {key: meaning for key, meaning in list(said.items())[-MEANINGS_REMEMBERED:] if meaning}
        statement = insert(ImportMapping).values(user_id=run.user_id, kind=run.kind, headings=headed, meanings=said)
        db.execute(
            statement.on_conflict_do_update(
                index_elements=[ImportMapping.user_id, ImportMapping.kind],
                set_={"headings": statement.excluded.headings, "meanings": statement.excluded.meanings},
            ).execution_options(populate_existing=True)
        )
    db.flush()


def missing(run: ImportRun) -> list[Column]:
    """Return the required fields that have no column."""
    return [column for column in kinds.kind_of(run.kind).columns if column.required and column.name not in run.mapping]


def without_field(run: ImportRun, first: list[files.FileRow]) -> list[tuple[int, str]]:
    """Return the columns that no field has, as position counted from 0 and heading: their cells are not stored.

    first: the first rows of the file. A column without heading counts where one of them has a cell in it.
    """
    used = set(run.mapping.values())
    filled = {at for line, cells in first if line > run.head_line for at, cell in enumerate(cells) if cell}
    width = max([len(run.headings), *(at + 1 for at in filled)])
    texts = [*run.headings, *[""] * (width - len(run.headings))]
    return [(at, text) for at, text in enumerate(texts) if at not in used and (text or at in filled)]
