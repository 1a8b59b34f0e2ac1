"""Import kinds: a kind defines its columns, how rows are read, checked and written, and how they are undone.

A kind registers itself when its module is loaded; packages above `courses` register theirs in the same way.
"""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.imports.files import LARGEST_FILE, FileRow
from courses.imports.overlaps import Overlap
from courses.models.imports import ImportRun
from lms.core.errors import N_
from lms.core.headings import normalised as normalised_heading

# The remark on a row whose name no font can print: the row goes in, for a name is what it is.
UNPRINTABLE = "unprintable"
UNPRINTABLE_NAME = N_(
    "No font of the certificate has %(characters)s of this name. The row is imported; a certificate that prints the name waits"
    " until another font or another writing is decided."
)


@dataclass(frozen=True)
class Column:
    """A field of a kind: its headings in the template (`zh`, `en`), and other headings that people write (`synonyms`).

    example: the cell of the template's example row. literal: what stands for nothing elsewhere is a value here, such as a
    name of 无 or an attendance of "-".
    """

    name: str
    zh: str
    en: str
    synonyms: tuple[str, ...] = ()
    required: bool = False
    example: str = ""
    literal: bool = False

    @property
    def normalised_names(self) -> set[str]:
        """All headings that name the field, as `lms.core.headings.normalised`."""
        return {normalised_heading(text) for text in (self.zh, self.en, self.name, *self.synonyms)}


@dataclass(frozen=True)
class ImportContext:
    """The settings of a worker: the branch's time zone, and the number of rows of a chunk (one transaction)."""

    zone: ZoneInfo
    chunk: int = 20_000


class ImportKind(ABC):
    """A kind of import. The work runs through `steps`, the undo through `undo_steps`, each in chunks with a cursor."""

    name: str
    title: str
    hint: str
    columns: Sequence[Column]
    city_only = False
    # the largest file in bytes
    largest = LARGEST_FILE
    steps: Sequence[str]
    undo_steps: Sequence[str]
    # code → msgid of the refusals that SQL statements give
    reasons: Mapping[str, str]
    # code → msgid of remarks on rows that are imported, and the codes of those that somebody has to correct afterwards
    remarks: Mapping[str, str] = MappingProxyType({})
    remarks_to_correct: frozenset[str] = frozenset()
    # the codes of rows that are right and wait for another row to be corrected
    waiting_codes: frozenset[str] = frozenset()
    # the field whose values the page lists, each with its count and its meaning; empty for kinds without such a field
    presence_column = ""
    # a warning (msgid) that the page shows above the rows to correct
    caution = ""

    @abstractmethod
    def stage(self, db: Session, run: ImportRun, rows: Iterator[FileRow], context: ImportContext) -> Iterator[int]:
        """Read rows into the staging tables, a chunk at a time; yields the last line of each chunk."""

    @abstractmethod
    def match(self, db: Session, run: ImportRun, context: ImportContext) -> None:
        """Set the outcome of each row: find duplicates in the file, and records that exist already."""

    def overlaps(self, db: Session, run: ImportRun) -> list[Overlap]:  # noqa: ARG002  # signature for kinds with overlaps
        """Return the figures of the file that a user has to decide on before the import. By default there are none."""
        return []

    @abstractmethod
    def total(self, db: Session, run: ImportRun, step: str) -> int:
        """Return the value of the cursor at the end of a step, for the progress page."""

    @abstractmethod
    def import_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:
        """Write one chunk of a step, after the cursor; returns the new cursor, or None when the step is done."""

    @abstractmethod
    def undo_chunk(self, db: Session, run: ImportRun, step: str, context: ImportContext) -> int | None:
        """Undo one chunk of a step; returns as `import_chunk` does."""


_KINDS: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    """Add a kind to those that can be imported."""
    _KINDS[kind.name] = kind


def kind_of(name: str) -> ImportKind:
    """Return a kind by its name. Raises KeyError."""
    return _KINDS[name]


def all_kinds() -> Sequence[ImportKind]:
    """Return all kinds, in the order in which they were registered."""
    return list(_KINDS.values())


def normalised(text: str) -> str:
    """Return a cell as it is compared: NFKC, lower case, letters and digits only."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).lower() if letter.isalnum())


def known_headings(columns: Sequence[Column], remembered: Mapping[str, str]) -> frozenset[str]:
    """Return all headings that name a field of a kind, as `lms.core.headings.normalised`.

    remembered: field → heading that the user last chose for it.
    """
    named = {name for column in columns for name in column.normalised_names}
    return frozenset(named | set(map(normalised_heading, remembered.values())))


def guess_mapping(columns: Sequence[Column], headings: Sequence[str], remembered: Mapping[str, str]) -> dict[str, int]:
    """Guess the column of each field, field → index: by the heading that the user last chose for it, else by its names.

    Of two columns with the same heading the first is taken; a column holds one field.
    """
    positions: dict[str, int] = {}
    for position, heading in enumerate(headings):
        positions.setdefault(normalised_heading(heading), position)
    mapping: dict[str, int] = {}
    for column in columns:
        chosen = remembered.get(column.name)
        if chosen is not None and normalised_heading(chosen) in positions:
            mapping[column.name] = positions[normalised_heading(chosen)]
            continue
        names = column.normalised_names
        named = next((position for heading, position in positions.items() if heading in names), None)
        if named is not None and named not in mapping.values():
            mapping[column.name] = named
    return mapping
