"""What is asked for when rows are exported: which rows, with whose reach, and what is said of the people in them.

An order is kept as JSON while it waits for a worker, and read back by who knows its kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.models.exports import ExportKind, PersonalData
from courses.reports import exporting, tables
from courses.reports.filters import Column, Filters, Grouping
from courses.reports.tables import Wording
from lms.core.copying import Table
from lms.core.exports import Format
from lms.core.scope import Scope

# What a list of people is of, by the name that it has in an address.
SUBJECTS = {ExportKind.ENROLMENTS: "offering", ExportKind.ATTENDANCES: "session"}


@dataclass(frozen=True, kw_only=True)
class Order(ABC):
    """What is asked for, with which reach, and how much of each person."""

    kind: ExportKind
    scope: Scope
    personal: PersonalData = PersonalData.NONE

    @property
    @abstractmethod
    def question(self) -> dict[str, str]:
        """What is asked, as in an address; `READING` reads it back."""

    @abstractmethod
    def table(self, wording: Wording) -> Table:
        """Its rows. Raises NotFound for another district's."""

    @abstractmethod
    def rows(self, db: Session) -> int:
        """How many there are, as far as is known before they are read."""

    def note(self, db: Session, form: Format, rows: int) -> None:
        """Leave the audit entry of it."""
        exporting.note(db, self.kind, self.question, form, rows, personal=self.personal)


@dataclass(frozen=True, kw_only=True)
class ReportOrder(Order):
    """Rows beneath a report's number. column: for offerings, only those that give something to that figure."""

    filters: Filters
    column: Column | None = None

    @property
    def question(self) -> dict[str, str]:
        """The filters."""
        return self.filters.address() | ({"column": self.column.value} if self.column else {})

    def table(self, wording: Wording) -> Table:
        """Offerings, participations or people."""
        if self.kind is ExportKind.OFFERINGS:
            return tables.offerings(self.filters, self.scope, wording, self.column)
        if self.kind is ExportKind.PEOPLE:
            return tables.people(self.filters, self.scope, self.personal)
        return tables.participations(self.filters, self.scope, wording, self.personal)

    def rows(self, db: Session) -> int:
        """Of participations, as the ledger counted them."""
        return tables.rows_expected(db, self.kind, self.filters, self.scope, self.column)


@dataclass(frozen=True, kw_only=True)
class ListOrder(Order):
    """The people of one offering, or of one session (`subject`)."""

    subject: int

    @property
    def question(self) -> dict[str, str]:
        """The one thing that it is about."""
        return {SUBJECTS[self.kind]: str(self.subject)}

    def table(self, wording: Wording) -> Table:
        """Enrolments or attendances."""
        of = tables.enrolments if self.kind is ExportKind.ENROLMENTS else tables.attendances
        return of(self.subject, self.scope, wording, self.personal)

    def rows(self, db: Session) -> int:
        """Exactly: they are few."""
        return tables.rows_of(db, self.table(Wording()))


# Reads a question back: its kind, the question, the reach, what of each person, and the branch's time zone.
Reading = Callable[[ExportKind, Mapping[str, str], Scope, PersonalData, ZoneInfo], Order]


def _report(kind: ExportKind, asked: Mapping[str, str], scope: Scope, personal: PersonalData, zone: ZoneInfo) -> Order:
    as_of = asked.get("as_of")
    filters = Filters(
        since=date.fromisoformat(asked["since"]),
        until=date.fromisoformat(asked["until"]),
        programme=asked.get("programme"),
        district=int(asked["district"]) if "district" in asked else None,
        course=int(asked["course"]) if "course" in asked else None,
        organisation=asked.get("organisation"),
        sector=asked.get("sector"),
        refresher=bool(int(asked["refresher"])) if "refresher" in asked else None,
        known_before=Filters.end_of(date.fromisoformat(as_of), zone) if as_of else None,
        grouping=Grouping(asked["grouping"]),
        key=asked.get("key"),
    )
    column = Column(asked["column"]) if "column" in asked else None
    return ReportOrder(kind=kind, filters=filters, scope=scope, personal=personal, column=column)


def _list(kind: ExportKind, asked: Mapping[str, str], scope: Scope, personal: PersonalData, _zone: ZoneInfo) -> Order:
    return ListOrder(kind=kind, scope=scope, personal=personal, subject=int(asked[SUBJECTS[kind]]))


# By kind; other packages add theirs.
READING: dict[ExportKind, Reading] = {
    ExportKind.OFFERINGS: _report,
    ExportKind.PARTICIPATIONS: _report,
    ExportKind.PEOPLE: _report,
    ExportKind.ENROLMENTS: _list,
    ExportKind.ATTENDANCES: _list,
}
