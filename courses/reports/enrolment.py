"""The enrolment report: its rows of figures, and everything else that its page and its files show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.reports import in_progress, lines, people_counts
from courses.reports.adjustments import Adjustment, adjustments
from courses.reports.in_progress import InProgress
from courses.reports.ledger import Figures
from courses.reports.opening_totals import OpeningTotals, opening_totals
from courses.reports.questions import TIME_GROUPINGS, Grouping, Question
from courses.reports.report_rows import UNNAMED, ReportRow, read_names

if TYPE_CHECKING:
    from courses.reports.selection import Selection

ADJUSTMENTS_ON_PAGE = 20  # the file holds all


@dataclass(frozen=True)
class EnrolmentReport:
    """The answer to a question: everything that the page of the report shows.

    total, people: of all rows. branch, branch_people: of the whole branch for the same period and courses, whatever
    district or host is asked for. opening: totals from before the system, which are in none of the other figures.
    adjustments: the latest ones, `ADJUSTMENTS_ON_PAGE` at most.
    """

    question: Question
    rows: tuple[ReportRow, ...]
    total: Figures
    people: int
    branch: Figures
    branch_people: int
    opening: OpeningTotals
    progress: InProgress
    adjustments: tuple[Adjustment, ...]

    @property
    def may_have_more_adjustments(self) -> bool:
        """True if the list of adjustments was cut off."""
        return len(self.adjustments) == ADJUSTMENTS_ON_PAGE


def report(db: Session, question: Question, *, zone: ZoneInfo) -> EnrolmentReport:
    """Answer a question. zone: in which an offering's last day is taken."""
    selection = _selection(db, question)
    people = people_counts.people_of(selection)
    rows = _rows(db, question.filters.grouping, selection, people.rows)
    branch = selection.total()
    return EnrolmentReport(
        question=question,
        rows=tuple(rows),
        total=branch if question.covers_branch else sum((row.figures for row in rows), Figures()),
        people=people.all_rows,
        branch=branch,
        branch_people=people.branch,
        opening=opening_totals(db, question),
        progress=in_progress.total(db, question, zone=zone),
        adjustments=adjustments(db, question, limit=ADJUSTMENTS_ON_PAGE),
    )


def rows(db: Session, question: Question) -> list[ReportRow]:
    """The rows alone, with 0 people each."""
    return _rows(db, question.filters.grouping, lines.selected(db, question), {})


def branch_total(db: Session, question: Question) -> Figures:
    """The sum of the whole branch for the same period and courses."""
    return _selection(db, question).total()


def _selection(db: Session, question: Question) -> "Selection":
    return lines.selected(db, question, branch=not question.covers_branch)


def _rows(db: Session, grouping: Grouping, selection: "Selection", people: Mapping[str, int]) -> list[ReportRow]:
    """The rows in their order. A row whose sums are all zero is none: it holds nothing but what was taken back."""
    figures = selection.figures()
    names = read_names(db, grouping, figures)
    rows = [
        ReportRow(key, name.name_zh, name.name_en, name.note, of_row, people.get(key, 0))
        for key, of_row in figures.items()
        for name in [names.get(key, UNNAMED)]
    ]
    if grouping in TIME_GROUPINGS:
        return rows
    if grouping in {Grouping.PROGRAMME, Grouping.DISTRICT}:
        return sorted(rows, key=lambda row: (names.get(row.key, UNNAMED).position, row.key))
    return sorted(rows, key=lambda row: (-row.figures.person_times, row.key))
