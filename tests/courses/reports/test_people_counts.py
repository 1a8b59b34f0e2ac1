"""The number of people by row, in all rows and in the branch."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from courses.counting import participants
from courses.models.enrolment import EnrolmentState
from courses.reports.people_counts import PeopleCounts, count_people
from courses.reports.questions import Grouping
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import ask, in_district
from tests.courses.worlds import Person, Plan, Presence, World

THERE = (Presence(0, 0, None),)
FIRST, SECOND, THIRD = (Person(number, EnrolmentState.COMPLETED, THERE) for number in range(3))


@pytest.fixture
def training(db: Session) -> None:
    """The first person in March and May in district 1, the second in May, the third in 2024 and in district 2."""
    world = World(db)
    world.close(Plan(date(2024, 12, 1), (0,), (THIRD,), False, 2, "RESCUE"))
    world.close(Plan(date(2025, 3, 1), (0,), (FIRST,), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 5, 1), (0,), (FIRST, SECOND), False, 1))
    world.close(Plan(date(2025, 5, 2), (0,), (THIRD,), False, 2))


@pytest.mark.usefixtures("training")
def test_a_person_of_two_months_is_one_of_the_year(db: Session) -> None:
    counts = count_people(db, ask())
    assert counts == PeopleCounts(rows={"2025-03": 1, "2025-05": 3}, all_rows=3, branch=3)


@pytest.mark.usefixtures("training")
def test_a_district_counts_its_own_people_and_the_branchs(db: Session) -> None:
    counts = count_people(db, ask(in_district(1), grouping=Grouping.DISTRICT))
    assert counts == PeopleCounts(rows={"1": 2}, all_rows=2, branch=3)


QUESTIONS: list[tuple[Scope, Mapping[str, Any]]] = [
    (scope, {"grouping": grouping, **filters})
    for scope in (EVERYTHING, in_district(1))
    for grouping in Grouping
    for filters in (
        {}, {"programme": "RESCUE"}, {"district": 1}, {"since": date(2025, 5, 1), "until": date(2025, 5, 31)},
        {"since": date(2020, 1, 1)}, {"since": date(2025, 3, 1), "until": date(2025, 5, 31)},
    )
]  # fmt: skip


@pytest.mark.usefixtures("training")
def test_dense_and_sparse_counting_agree(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse, dense = 10**6, 0
    answers = []
    for way in (sparse, dense):
        monkeypatch.setattr(participants, "SPARSE", way)
        answers.append([count_people(db, ask(scope, **filters)) for scope, filters in QUESTIONS])
    assert answers[0] == answers[1]
