"""The search in the register of trainees: by a part of a name, a whole phone or a whole ID number, within the scope."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import trainee_search
from courses.enrolment.trainees import TraineeFacts, register
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make

ID = "11010519491231002X"
ZHANG = TraineeFacts(name="张三", phone="+8613812345678", birth_year=1949)


@pytest.mark.parametrize("query", ["三", "张三", "138 1234 5678", "+86 13812345678", ID, "11010519491231002x"])
def test_search_finds(query: str, db: Session) -> None:
    row = register(db, replace(ZHANG, id_number=ID))
    register(db, TraineeFacts("李四", phone="+8613812345679"))
    assert trainee_search.search(db, query, EVERYTHING).rows == [row]


@pytest.mark.parametrize("query", ["1381234567", "王五", "%", "_", "5678"])
def test_search_does_not_find(query: str, db: Session) -> None:
    register(db, replace(ZHANG, id_number=ID))
    assert trainee_search.search(db, query, EVERYTHING).rows == []


def test_search_stays_in_the_district(db: Session, make: Make) -> None:
    mine, other = register(db, ZHANG, 1), register(db, replace(ZHANG, name="张三丰"), 2)
    enrolled = make.enrolment(make.offering(organisation=make.organisation(1)), make.trainee("张三一")).trainee
    scope = Scope(district_ids=frozenset({1}), user_id=1)
    assert set(trainee_search.search(db, "张三", scope).rows) == {mine, enrolled}
    assert other not in trainee_search.search(db, "", scope).rows
