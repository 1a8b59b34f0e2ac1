"""What can be imported: each kind names its columns, reads a row, and writes what was read. Packages above register theirs."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.imports.files import LARGEST, Row
from courses.models.imports import ImportRun


@dataclass(frozen=True)
class Column:
    """A field of a kind, what it is called in a template, and what else people write. note: how to fill it in (a msgid)."""

    name: str
    zh: str
    en: str
    others: tuple[str, ...] = ()
    needed: bool = False
    example: str = ""

    @property
    def words(self) -> set[str]:
        """Every heading that names it, as compared."""
        return {word(text) for text in (self.zh, self.en, self.name, *self.others)}


@dataclass(frozen=True)
class Context:
    """What reading and writing stand on: the branch's zone, and the rows that a chunk holds."""

    zone: ZoneInfo
    chunk: int = 20_000


class Kind(ABC):
    """One kind of import. Its steps are run in the order of `steps` (moving) and `undo_steps`, each in chunks with a cursor."""

    name: str
    title: str
    hint: str
    columns: Sequence[Column]
    city_only = False
    # bytes of a file, where a kind takes less than the rest
    largest = LARGEST
    steps: Sequence[str]
    undo_steps: Sequence[str]
    # code → msgid of the reasons that set-based statements give
    reasons: Mapping[str, str]
    # those of these codes that say a row is right and waits for another
    consequences: frozenset[str] = frozenset()
    # what to know before the rows that can go in do so without the others (a msgid)
    caution = ""

    @abstractmethod
    def stage(self, db: Session, run: ImportRun, rows: Iterator[Row], context: Context) -> Iterator[int]:
        """Write rows to the staging tables, a chunk each time; gives the last line that is written."""

    @abstractmethod
    def match(self, db: Session, run: ImportRun, context: Context) -> None:
        """Find doubles and what is known, and say of each row what becomes of it."""

    @abstractmethod
    def total(self, db: Session, run: ImportRun, step: str) -> int:
        """How far the cursor of a step goes."""

    @abstractmethod
    def move(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:
        """Do one chunk after the cursor; the new cursor, or None when the step is done."""

    @abstractmethod
    def undo(self, db: Session, run: ImportRun, step: str, context: Context) -> int | None:
        """Take one chunk back; as `move`."""


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known, once, when its module is loaded."""
    _KINDS[kind.name] = kind


def kind_of(name: str) -> Kind:
    """A kind by its name. Raises KeyError."""
    return _KINDS[name]


def everyone() -> Sequence[Kind]:
    """All kinds, in the order in which they were registered."""
    return list(_KINDS.values())


def word(text: str) -> str:
    """A heading or a word as it is compared."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).lower() if letter.isalnum())


def guess(columns: Sequence[Column], headings: Sequence[str], remembered: Mapping[str, str]) -> dict[str, int]:
    """Field → column, by what the user last chose, else by the words that name it; the first of two columns wins."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        places.setdefault(word(heading), place)
    found: dict[str, int] = {}
    for column in columns:
        chosen = remembered.get(column.name)
        if chosen is not None and word(chosen) in places:
            found[column.name] = places[word(chosen)]
            continue
        at = next((place for text, place in places.items() if text in column.words), None)
        if at is not None and at not in found.values():
            found[column.name] = at
    return found
