"""The list of people whose certificates cannot be printed: within reach alone, those who wait first."""

import pytest
from sqlalchemy.orm import Session

from certificates import missing_glyphs, unprintable
from certificates.unprintable import Stage
from courses.models.enrolment import Enrolment
from courses.models.name_writings import HOLDER
from courses.models.offerings import Offering
from lms.core.access import scope_of
from lms.core.scope import EVERYTHING, Role
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

LACKING = {HOLDER: ["\ue5e5"]}


@pytest.fixture
def offering(make: Make) -> Offering:
    return closed_offering(make)


@pytest.fixture
def waiting(db: Session, make: Make, offering: Offering) -> Enrolment:
    """Return an enrolment of district 1 whose certificate waits, and somebody whose class is to come."""
    coming = make.enrolment(make.offering(), make.trainee("李\ue5e5"))
    enrolment = owe(make, offering, "王\ue5e5")
    missing_glyphs.hold(db, {coming.id: LACKING, enrolment.id: LACKING | {"instructor": ["\ue5e5"]}})
    return enrolment


def test_those_who_wait_come_first_and_are_counted(db: Session, waiting: Enrolment) -> None:
    page = unprintable.listing(db, EVERYTHING)
    assert [(row.name, row.stage, row.needs_writing) for row in page.rows] == [
        ("王\ue5e5", Stage.WAITING, True),
        ("李\ue5e5", Stage.COMING, True),
    ]
    assert page.rows[0].offering_id == waiting.offering_id
    assert page.total == 2
    assert unprintable.count(db, EVERYTHING) == 1


def test_pages_follow_one_another(db: Session, waiting: Enrolment) -> None:
    pages = [unprintable.listing(db, EVERYTHING, page=number, size=1) for number in (1, 2, 9)]
    assert [(page.page, page.pages, [row.name for row in page.rows]) for page in pages] == [
        (1, 2, [waiting.trainee.name]), (2, 2, ["李\ue5e5"]), (2, 2, ["李\ue5e5"]),
    ]  # fmt: skip


def test_another_district_sees_nobody(db: Session, make: Make, waiting: Enrolment) -> None:
    del waiting
    for district, number in ((1, 2), (2, 0)):
        user = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=district)
        scope = scope_of(user.id, user.grants)
        assert unprintable.listing(db, scope).total == number
        assert unprintable.count(db, scope) == number // 2
