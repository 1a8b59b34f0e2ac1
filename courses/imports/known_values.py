"""Values of a file that the system does not know, matched once by a person and remembered for the next file.

A programme, course, district, sector, host, level or result that a cell names in other words refuses the row. On the page
of the import an administrator says what the value stands for; the file is checked again, and later files of the same
district (or of all districts, where the city said it) are read so at once. What the register knows by its own name always
comes first: a remembered value is looked up only for a row that would be refused.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.imports.kinds import normalised
from courses.models.catalogue import Course, Programme
from courses.models.imports import ImportLine, ImportRun, KnownValue, RowOutcome
from instructors.models import Level
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, fetch, visible
from lms.organisations import register
from lms.organisations.models import District, Organisation, Sector
from lms.organisations.register import OrganisationFacts

UNKNOWN_SHOWN = 40  # values that are matched at a time
CLOSEST = 12  # hosts that are offered for a value: a district has hundreds
TEXT_LENGTH = 200
NEW = "new:"  # before a sector: the host is entered in the register
_DIGEST_LENGTH = 16

T = TypeVar("T")


class Vocabulary(StrEnum):
    """The fields whose values can be matched. Each is the code of the refusal, and the name of the field."""

    PROGRAMME = "programme"
    COURSE = "course"
    DISTRICT = "district"
    SECTOR = "sector"
    HOST = "host"
    LEVEL = "level"
    RESULT = "result"


class Target(NamedTuple):
    """A record or word that a value can stand for: its code or id, and its names. en: None where there is none."""

    code: str
    zh: str
    en: str | None


class Cell(NamedTuple):
    """A field, and the text that it is read with instead of the file's."""

    field: str
    text: str


@dataclass(frozen=True)
class UnknownValue:
    """A value that refuses rows: what it is of, the context that it is looked up within, and the number of those rows."""

    vocabulary: Vocabulary
    context: str
    text: str
    rows: int

    @property
    def digest(self) -> str:
        """A name for the value that may stand in a form."""
        return sha256("\0".join((self.vocabulary, self.context, self.text)).encode()).hexdigest()[:_DIGEST_LENGTH]


def key_of(text: str) -> str:
    """Return a value as it is compared: letters and digits only, but whole where a sign may turn its sense, as in ×合格."""
    key = normalised(text)
    return text if not key or any(unicodedata.category(letter).startswith("S") for letter in text) else key


class KnownValues:
    """The values that were matched, as far as an import may use them."""

    def __init__(self, db: Session, run: ImportRun) -> None:
        rows = db.execute(
            select(KnownValue.vocabulary, KnownValue.context, KnownValue.key, KnownValue.target)
            .where(or_(KnownValue.district_id.is_(None), KnownValue.district_id.in_(run.district_ids or ())))
            .order_by(KnownValue.district_id.nulls_first(), KnownValue.id)
        ).all()
        named = _names(db, {(vocabulary, target) for vocabulary, _context, _key, target in rows})
        self._texts = {
            (vocabulary, context, key): named[vocabulary, target]
            for vocabulary, context, key, target in rows
            if (vocabulary, target) in named
        }

    def replacement(self, error: DomainError) -> Cell | None:
        """Return the field of a refusal and the text that was matched with its value; None where nothing was."""
        written = _written(error.params)
        text = self._texts.get((error.code, str(error.params.get("district", "")), key_of(written)))
        return None if text is None else Cell(error.code, text)

    def table(self, vocabulary: Vocabulary) -> dict[str, str]:
        """Return value → code of a vocabulary without context, for `cells.look_up_word`."""
        return {key: text for (name, _context, key), text in self._texts.items() if name == vocabulary}


def reading(read: Callable[[dict[str, str]], T], known: KnownValues) -> Callable[[Mapping[str, str]], T]:
    """Return the function that reads a row (field → cell) as `read` does, and again where a refused value was matched."""

    def read_matched(row: Mapping[str, str]) -> T:
        cells = dict(row)
        for _field in Vocabulary:
            try:
                return read(cells)
            except DomainError as error:
                cell = known.replacement(error)
                if cell is None or cells.get(cell.field) == cell.text:
                    raise
                cells[cell.field] = cell.text
        return read(cells)

    return read_matched


def unknown(db: Session, run: ImportRun) -> list[UnknownValue]:
    """Return the values that refuse rows of a checked import and can be matched, those of most rows first."""
    written = func.coalesce(ImportLine.params["text"].astext, ImportLine.params["name"].astext)
    district = func.coalesce(ImportLine.params["district"].astext, "")
    number = func.count()
    rows = db.execute(
        select(ImportLine.code, district, written, number)
        .where(
            ImportLine.run_id == run.id,
            ImportLine.outcome == RowOutcome.REFUSED,
            ImportLine.code.in_(list(Vocabulary)),
            func.length(written).between(1, TEXT_LENGTH),
        )
        .group_by(ImportLine.code, district, written)
        .order_by(number.desc(), ImportLine.code, written)
    )
    return [UnknownValue(Vocabulary(code or ""), context, text, rows) for code, context, text, rows in rows]


def targets(db: Session, run: ImportRun, values: Iterable[UnknownValue]) -> dict[str, list[Target]]:
    """Return what each value may stand for, by its digest, the closest first; of hosts only the closest."""
    tables: dict[tuple[Vocabulary, str], list[Target]] = {}
    offered = {}
    for value in values:
        place = (value.vocabulary, value.context)
        if place not in tables:
            tables[place] = _targets(db, run, *place)
        ordered = sorted(tables[place], key=lambda target: (-_likeness(value.text, target), target.code))
        offered[value.digest] = ordered[:CLOSEST] if value.vocabulary is Vocabulary.HOST else ordered
    return offered


def match(db: Session, run: ImportRun, chosen: Mapping[str, str], scope: Scope) -> int:
    """Remember what values stand for. chosen: digest → code of a target, or `NEW` and a sector for a host to enter.

    Returns how many values were matched; values that the import does not refuse, and those without a choice, are left.
    Raises DomainError `known_value` for a code that stands for nothing the user may choose.
    """
    matched = 0
    for value in unknown(db, run):
        code = chosen.get(value.digest)
        if not code:
            continue
        if value.vocabulary is Vocabulary.HOST and code.startswith(NEW):
            _enter_host(db, value, code.removeprefix(NEW), scope)
        elif code in {target.code for target in _targets(db, run, value.vocabulary, value.context)}:
            _remember(db, run, value, code, scope)
        else:
            raise DomainError(
                "known_value", N_("Choose what “%(text)s” stands for again."), status=422, text=value.text
            )
        matched += 1
    return matched


def listing(db: Session, scope: Scope) -> Sequence[tuple[KnownValue, str]]:
    """Return the remembered values of a scope, each with the name of what it stands for, by field and value."""
    rows = db.scalars(
        visible(select(KnownValue), KnownValue, scope).order_by(KnownValue.vocabulary, KnownValue.text, KnownValue.id)
    ).all()
    named = _names(db, {(row.vocabulary, row.target) for row in rows})
    return [(row, named.get((row.vocabulary, row.target), row.target)) for row in rows]


def forget(db: Session, value_id: int, scope: Scope) -> None:
    """Forget a remembered value: the next file that holds it is asked about again. Raises NotFound."""
    value = fetch(db, KnownValue, value_id, scope)
    audit.record(db, "import.forget_value", value, before={"field": value.vocabulary, "text": value.text})
    db.delete(value)
    db.flush()


def _written(params: Mapping[str, object]) -> str:
    return str(params.get("text") or params.get("name") or "")


def _enter_host(db: Session, value: UnknownValue, sector: str, scope: Scope) -> None:
    if sector not in set(Sector) or not value.context.isdecimal():
        raise DomainError("known_value", N_("Choose what “%(text)s” stands for again."), status=422, text=value.text)
    facts = OrganisationFacts(name_zh=value.text, name_en=None, district_id=int(value.context), sector=Sector(sector))
    register.add(db, facts, scope)


def _remember(db: Session, run: ImportRun, value: UnknownValue, code: str, scope: Scope) -> None:
    for district in (None,) if scope.everything else run.district_ids or ():
        statement = insert(KnownValue).values(
            vocabulary=value.vocabulary.value, context=value.context, key=key_of(value.text), text=value.text,
            target=code, district_id=district, user_id=scope.user_id,
        )  # fmt: skip
        db.execute(
            statement.on_conflict_do_update(
                constraint="uq_import_known_value_key",
                set_={name: statement.excluded[name] for name in ("text", "target", "user_id")},
            )
        )
    after = {"field": value.vocabulary.value, "text": value.text, "target": code}
    audit.record(db, "import.match_value", run, after=after)


def _targets(db: Session, run: ImportRun, vocabulary: Vocabulary, context: str) -> list[Target]:
    """Return all that a value of a vocabulary may stand for in an import."""
    if vocabulary is Vocabulary.HOST:
        hosts = select(Organisation).where(
            Organisation.district_id == (int(context) if context.isdecimal() else 0), Organisation.active
        )
        return [Target(str(row.id), row.name_zh, row.name_en) for row in db.scalars(hosts)]
    if vocabulary is Vocabulary.DISTRICT:
        of_user = select(District)
        if run.district_ids is not None:
            of_user = of_user.where(District.id.in_(run.district_ids))
        return [Target(str(row.id), row.name_zh, row.name_en) for row in db.scalars(of_user)]
    if vocabulary is Vocabulary.COURSE:
        return [Target(row.code, row.name_zh, row.name_en) for row in db.scalars(select(Course))]
    if vocabulary is Vocabulary.PROGRAMME:
        return [Target(row.code, row.name_zh, row.name_en) for row in db.scalars(select(Programme))]
    return [Target(code, code, None) for code in _WORDS[vocabulary]]


# Vocabularies of the program: the words that the readers of rows know, which are codes as well.
_WORDS: Mapping[Vocabulary, tuple[str, ...]] = {
    Vocabulary.SECTOR: tuple(sector.value for sector in Sector),
    Vocabulary.LEVEL: tuple(level.value for level in Level),
    Vocabulary.RESULT: ("passed", "failed"),
}


def _names(db: Session, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the text with which each (vocabulary, target) is read; those that are gone are left out."""
    named = {(vocabulary, target): target for vocabulary, target in wanted if vocabulary in _WORDS}
    tables = (
        (Vocabulary.HOST, Organisation.id, Organisation.name_zh), (Vocabulary.DISTRICT, District.id, District.name_zh),
        (Vocabulary.COURSE, Course.code, Course.code), (Vocabulary.PROGRAMME, Programme.code, Programme.code),
    )  # fmt: skip
    for vocabulary, code, text in tables:
        codes = [target for name, target in wanted if name == vocabulary]
        numbers = [int(target) for target in codes if target.isdecimal()]
        by_number = vocabulary in {Vocabulary.HOST, Vocabulary.DISTRICT}
        for found, name in db.execute(select(code, text).where(code.in_(numbers if by_number else codes))):
            named[vocabulary.value, str(found)] = name
    return named


def _likeness(text: str, target: Target) -> float:
    """Return how like a value is to a name, from 0 to 1: the share of letters, and of pairs of letters, that both have."""
    return max(_shared(normalised(text), normalised(name)) for name in (target.zh, target.en or "", target.code))


def _shared(one: str, other: str) -> float:
    parts, others = _parts(one), _parts(other)
    total = parts.total() + others.total()
    return 2 * (parts & others).total() / total if total else 0.0


def _parts(text: str) -> Counter[str]:
    return Counter(text) + Counter(text[at : at + 2] for at in range(len(text) - 1))
