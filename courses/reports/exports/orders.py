"""Orders of exports: which rows are exported, within whose scope, and with which personal data.

While an order waits for a worker, the database keeps its arguments as JSON. `ORDER_READERS` has the function for each
kind that makes the order again.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.models.exports import ExportKind, PersonalData
from courses.reports import export_audit
from courses.reports.exports import tables
from courses.reports.exports.tables import ExportWording
from courses.reports.questions import Figure, Filters, Grouping, Question, end_of_day
from lms.core.copying import Table
from lms.core.exports import Format
from lms.core.scope import Scope

# The query argument that names the offering or the session whose people are exported.
SUBJECT_ARGUMENTS = {ExportKind.ENROLMENTS: "offering", ExportKind.ATTENDANCES: "session"}


@dataclass(frozen=True, kw_only=True)
class ExportOrder(ABC):
    """An order: the kind of rows, the scope of the user who arguments, and the personal data that the file holds."""

    kind: ExportKind
    scope: Scope
    personal: PersonalData = PersonalData.NONE

    @property
    @abstractmethod
    def arguments(self) -> dict[str, str]:
        """The order as query arguments, from which a function of `ORDER_READERS` makes it again."""

    @abstractmethod
    def table(self, wording: ExportWording) -> Table:
        """The rows."""

    @abstractmethod
    def count_rows(self, db: Session) -> int:
        """The number of rows, as far as it is known before they are read."""

    def record(self, db: Session, form: Format, rows: int) -> None:
        """Write the audit entry of the export."""
        export_audit.record_export(db, self.kind, self.arguments, form, rows, personal=self.personal)


@dataclass(frozen=True, kw_only=True)
class ReportExportOrder(ExportOrder):
    """The rows behind a number of a report. figure: of offerings, only those that add something to this figure.

    Making one raises NotFound for filters outside of the scope, as `Question` does.
    """

    filters: Filters
    figure: Figure | None = None

    def __post_init__(self) -> None:
        Question(self.filters, self.scope)

    @property
    def question(self) -> Question:
        """The filters within the scope of the order."""
        return Question(self.filters, self.scope)

    @property
    def arguments(self) -> dict[str, str]:
        """The filters and the figure."""
        return self.filters.address() | ({"column": self.figure.value} if self.figure else {})

    def table(self, wording: ExportWording) -> Table:
        """Offerings, participations or people."""
        if self.kind is ExportKind.OFFERINGS:
            return tables.offerings(self.question, wording, self.figure)
        if self.kind is ExportKind.PEOPLE:
            return tables.people(self.question, self.personal)
        return tables.participations(self.question, wording, self.personal)

    def count_rows(self, db: Session) -> int:
        """The exact number, but of participations the number that the ledger counted at the closing."""
        return tables.expected_rows(db, self.kind, self.question, self.figure)


@dataclass(frozen=True, kw_only=True)
class PeopleExportOrder(ExportOrder):
    """The people of an offering or of a session. subject_id: the offering or the session."""

    subject_id: int

    @property
    def arguments(self) -> dict[str, str]:
        """The offering or the session."""
        return {SUBJECT_ARGUMENTS[self.kind]: str(self.subject_id)}

    def table(self, wording: ExportWording) -> Table:
        """Enrolments or attendances."""
        make_table = tables.enrolments if self.kind is ExportKind.ENROLMENTS else tables.attendances
        return make_table(self.subject_id, self.scope, wording, self.personal)

    def count_rows(self, db: Session) -> int:
        """The exact number: the rows are few."""
        return tables.count_rows(db, self.table(ExportWording()))


# Makes an order of a kind again, from its arguments, the scope, the personal data, and the branch's time zone.
OrderReader = Callable[[ExportKind, Mapping[str, str], Scope, PersonalData, ZoneInfo], ExportOrder]


def _read_report_order(
    kind: ExportKind, arguments: Mapping[str, str], scope: Scope, personal: PersonalData, zone: ZoneInfo
) -> ExportOrder:
    as_of = arguments.get("as_of")
    filters = Filters(
        since=date.fromisoformat(arguments["since"]),
        until=date.fromisoformat(arguments["until"]),
        programme=arguments.get("programme"),
        district=int(arguments["district"]) if "district" in arguments else None,
        course=int(arguments["course"]) if "course" in arguments else None,
        host=int(arguments["host"]) if "host" in arguments else None,
        organisation=arguments.get("organisation"),
        sector=arguments.get("sector"),
        refresher=bool(int(arguments["refresher"])) if "refresher" in arguments else None,
        known_before=end_of_day(date.fromisoformat(as_of), zone) if as_of else None,
        grouping=Grouping(arguments["grouping"]),
        key=arguments.get("key"),
    )
    figure = Figure(arguments["column"]) if "column" in arguments else None
    return ReportExportOrder(kind=kind, filters=filters, scope=scope, personal=personal, figure=figure)


def _read_people_order(
    kind: ExportKind, arguments: Mapping[str, str], scope: Scope, personal: PersonalData, _zone: ZoneInfo
) -> ExportOrder:
    subject_id = int(arguments[SUBJECT_ARGUMENTS[kind]])
    return PeopleExportOrder(kind=kind, scope=scope, personal=personal, subject_id=subject_id)


# The reader of each kind. Packages above `courses` add theirs when their modules are loaded.
ORDER_READERS: dict[ExportKind, OrderReader] = {
    ExportKind.OFFERINGS: _read_report_order,
    ExportKind.PARTICIPATIONS: _read_report_order,
    ExportKind.PEOPLE: _read_report_order,
    ExportKind.ENROLMENTS: _read_people_order,
    ExportKind.ATTENDANCES: _read_people_order,
}
