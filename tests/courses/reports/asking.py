"""Questions for the tests of reports: of the year 2025 unless a test says otherwise."""

from dataclasses import replace
from datetime import date
from typing import Any

from courses.models.enrolment import EnrolmentState
from courses.reports.questions import Filters, Question
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import Person, Presence

YEAR = Filters(date(2025, 1, 1), date(2025, 12, 31))
PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def ask(scope: Scope = EVERYTHING, **filters: Any) -> Question:
    """A question of 2025 with some filters changed."""
    return Question(replace(YEAR, **filters), scope)


def in_district(district: int) -> Scope:
    """The scope of an administrator of one district."""
    return Scope(district_ids=frozenset({district}))
