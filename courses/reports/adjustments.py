"""Adjustments: ledger entries of the period that change a frozen quarter.

A frozen quarter never changes, so a later correction of it is dated in the open quarter and names the closing it
corrects.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.reports.ledger import entries
from courses.reports.questions import Question
from lms.core.scope import CACHED_STATEMENTS
from lms.organisations.models import Organisation


@dataclass(frozen=True)
class Adjustment:
    """A ledger entry, dated `dated_on`, that changes what its offering gave to the quarter of `counted_on`.

    late_closing: the entry is no correction; its offering was closed after the quarter was frozen. reason: of a
    correction. `counted_on` of an offering whose import was undone is the day of its closing.
    """

    offering_id: int
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None
    counted_on: date
    dated_on: date
    person_times: int
    minutes: int
    passed: int
    late_closing: bool
    reason: str | None


@lru_cache(CACHED_STATEMENTS)
def _statement(question: Question, limit: int | None) -> Select[*tuple[Any, ...]]:
    entry = entries(question)
    other = entries(question)
    closing = aliased(PersonTimeEntry)
    withdrawal = aliased(PersonTimeEntry)
    # A late closing and its withdrawal in the same period add up to nothing, so neither of them adjusts anything.
    withdrawn = (
        select(withdrawal.id)
        .join(other, other.c.id == withdrawal.id)
        .where(
            withdrawal.offering_id == PersonTimeEntry.offering_id,  # by its index; `corrects_id` has none
            withdrawal.kind == EntryKind.WITHDRAWAL,
            withdrawal.corrects_id == PersonTimeEntry.id,
        )
        .exists()
    )
    withdraws = (PersonTimeEntry.kind == EntryKind.WITHDRAWAL) & select(other.c.id).where(
        other.c.id == PersonTimeEntry.corrects_id, other.c.late
    ).exists()
    return (
        select(
            Offering.id, Course.name_zh, Course.name_en, Organisation.name_zh, Organisation.name_en,
            func.coalesce(Offering.counted_on, closing.dated_on), PersonTimeEntry.dated_on, entry.c.adjusted,
            entry.c.minutes, entry.c.passed,
            entry.c.kind == EntryKind.CLOSING, PersonTimeEntry.reason,
        )
        .join(PersonTimeEntry, PersonTimeEntry.id == entry.c.id)
        .join(Offering, Offering.id == entry.c.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .outerjoin(closing, closing.id == func.coalesce(PersonTimeEntry.corrects_id, PersonTimeEntry.id))
        .where(entry.c.late, ~withdrawn, ~withdraws)
        # "+ 0" keeps PostgreSQL from reading the primary key's index backwards over all entries to find the few late
        # ones.
        .order_by((PersonTimeEntry.id + 0).desc())
        .limit(limit)
    )  # fmt: skip


def adjustments(db: Session, question: Question, *, limit: int | None = None) -> tuple[Adjustment, ...]:
    """The adjustments of the period, the latest first, in one statement. limit: so many at most; None for all."""
    return tuple(Adjustment(*row) for row in db.execute(_statement(question, limit)))
