"""The enrolment report: its rows of figures, and everything else that its page and its files show."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from courses.reports import in_progress, people_counts, rollups
from courses.reports.adjustments import Adjustment, adjustments
from courses.reports.in_progress import InProgress
from courses.reports.ledger import FIGURE_NAMES, Figures, figure_sums, has_figures
from courses.reports.opening_totals import OpeningTotals, opening_totals
from courses.reports.questions import Question
from courses.reports.report_rows import ReportRow, row_names, row_order
from lms.core.scope import CACHED_STATEMENTS

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
    """Answer a question, in five statements. zone: in which an offering's last day is taken."""
    rows, branch = _rows_and_branch(db, question)
    people = people_counts.count_people(db, question)
    return EnrolmentReport(
        question=question,
        rows=tuple(
            ReportRow(row.key, row.name_zh, row.name_en, row.note, row.figures, people.rows.get(row.key, 0))
            for row in rows
        ),
        total=sum((row.figures for row in rows), Figures()),
        people=people.all_rows,
        branch=branch,
        branch_people=people.branch,
        opening=opening_totals(db, question),
        progress=in_progress.total(db, question, zone=zone),
        adjustments=adjustments(db, question, limit=ADJUSTMENTS_ON_PAGE),
    )


def rows(db: Session, question: Question) -> list[ReportRow]:
    """The rows alone, with 0 people each, in one statement."""
    return _rows_and_branch(db, question)[0]


def branch_total(db: Session, question: Question) -> Figures:
    """The sum of the whole branch for the same period and courses, in one statement."""
    return _rows_and_branch(db, question)[1]


def _rows_and_branch(db: Session, question: Question) -> tuple[list[ReportRow], Figures]:
    rows: list[ReportRow] = []
    branch = Figures()
    for is_branch, key, name_zh, name_en, note, *figures in db.execute(_statement(question)):
        if is_branch:
            branch = Figures(*figures)
        else:
            rows.append(ReportRow(key, name_zh, name_en, note, Figures(*figures), 0))
    return rows, branch


@lru_cache(CACHED_STATEMENTS)
def _statement(question: Question) -> Select[*tuple[Any, ...]]:
    part = rollups.partial_sums(question, branch=True)
    # One pass adds up each row and, with the empty grouping set, the whole branch.
    sums = (
        select(part.c.in_rows, part.c.key, func.grouping(part.c.key).label("is_branch"), *figure_sums(part))
        .group_by(func.grouping_sets(tuple_(part.c.in_rows, part.c.key), tuple_()))
        .having(has_figures(part))
        .subquery("sums")
    )
    names = row_names(question.filters.grouping)
    return (
        select(
            sums.c.is_branch,
            sums.c.key,
            names.c.name_zh,
            names.c.name_en,
            names.c.note,
            *(sums.c[name] for name in FIGURE_NAMES),
        )
        .outerjoin(names, names.c.key == sums.c.key)
        .where(sums.c.in_rows | (sums.c.is_branch == 1))
        .order_by(*row_order(question.filters.grouping, sums, names))
    )
