"""The rows of a report: a key, the names that the key stands for, and the figures."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, Subquery, Text, cast, literal, null, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.reports.ledger import Figures
from courses.reports.questions import TIME_GROUPINGS, Grouping
from instructors.models import Instructor
from lms.organisations.models import District, Organisation

FEW_KEYS = 50  # more names are read whole, which is quicker than to look for each


@dataclass(frozen=True)
class ReportRow:
    """A row of a report.

    key: narrows the question to this row (`Filters.key`). name_zh, name_en: None where the key names nothing in the
    database, as a month or "no lead instructor". note: tells apart rows of the same name, for example a registration
    number. people: the distinct trainees who were present. People do not add up over rows: a person who came in two
    months is one person of the year.
    """

    key: str
    name_zh: str | None
    name_en: str | None
    note: str | None
    figures: Figures
    people: int


def sum_row(figures: Figures, people: int) -> ReportRow:
    """A row of sums, which has no key and no name."""
    return ReportRow("", None, None, None, figures, people)


@dataclass(frozen=True)
class RowName:
    """The names that a key stands for, and the position of the row among those of its kind."""

    name_zh: str | None = None
    name_en: str | None = None
    note: str | None = None
    position: int = 0


UNNAMED = RowName()


def read_names(db: Session, grouping: Grouping, keys: Collection[str]) -> dict[str, RowName]:
    """The names of rows by their key, in one statement at most. A key without a name is left out."""
    if grouping in TIME_GROUPINGS or grouping is Grouping.SECTOR or not keys:
        return {}
    names = _names(grouping)
    statement = select(names.c.key, names.c.name_zh, names.c.name_en, names.c.note, names.c.position)
    if len(keys) <= FEW_KEYS:
        statement = statement.where(names.c.key.in_(keys))
    return {key: RowName(*name) for key, *name in db.execute(statement)}


def _names(grouping: Grouping) -> Subquery:
    """`key`, `name_zh`, `name_en`, `note` and `position` of all possible rows.

    Periods and sectors have no names here.
    """
    no_text, no_position = cast(null(), Text), literal(0)
    unnamed = select(
        cast(null(), Text).label("key"), no_text.label("name_zh"), no_text.label("name_en"), no_text.label("note"),
        no_position.label("position"),
    )  # fmt: skip
    statements: dict[Grouping, Select[*tuple[object, ...]]] = {
        Grouping.PROGRAMME: select(
            Programme.code.label("key"), Programme.name_zh, Programme.name_en, no_text.label("note"), Programme.position,
        ),
        Grouping.DISTRICT: select(
            cast(District.id, Text).label("key"), District.name_zh, District.name_en, no_text.label("note"),
            District.id.label("position"),
        ),
        Grouping.COURSE: select(
            cast(Course.id, Text).label("key"), Course.name_zh, Course.name_en, Course.code.label("note"),
            no_position.label("position"),
        ),
        Grouping.INSTRUCTOR: select(
            cast(Instructor.id, Text).label("key"), Instructor.name.label("name_zh"), no_text.label("name_en"),
            Instructor.registration_number.label("note"), no_position.label("position"),
        ),
        Grouping.HOST: select(
            cast(Organisation.id, Text).label("key"), Organisation.name_zh, Organisation.name_en, no_text.label("note"),
            no_position.label("position"),
        ),
    }  # fmt: skip
    return statements.get(grouping, unnamed).subquery("row_name")


def empty_rows(db: Session, grouping: Grouping, keys: Collection[str]) -> list[ReportRow]:
    """Rows without figures, with their names, in the order of the report.

    They stand for rows of which something else is known, as a target. A key without a name comes last.
    """
    names = _names(grouping)
    statement = select(names.c.key, names.c.name_zh, names.c.name_en, names.c.note).where(names.c.key.in_(keys))
    rows = [ReportRow(*row, Figures(), 0) for row in db.execute(statement.order_by(names.c.position, names.c.key))]
    unnamed = set(keys) - {row.key for row in rows}
    return rows + [ReportRow(key, None, None, None, Figures(), 0) for key in sorted(unnamed)]
