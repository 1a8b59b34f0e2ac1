"""Legacy certificates that wait for a person: groups, reach, and the people who may be the holder."""

import pytest
from sqlalchemy.orm import Session

from certificates.legacy import matching, waiting
from certificates.legacy.models import LegacyCertificate
from certificates.legacy.waiting import WaitingFilters, WaitingGroup
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.certificates.legacy_people import ID_NUMBER, legacy_of, person
from tests.factories import Make

DISTRICT = Scope(district_ids=frozenset({1}))
PHONE = "+8613911112222"


def shown(db: Session, scope: Scope, group: WaitingGroup, **filters: str) -> list[LegacyCertificate]:
    return list(waiting.listing(db, scope, group, WaitingFilters(**filters)).rows)


def settle(db: Session) -> None:
    for _progress in matching.match_all(db):
        db.commit()
    db.expire_all()


def test_each_group_holds_what_agrees_in_its_way(db: Session, make: Make) -> None:
    person(make, "张三丰", id_number=ID_NUMBER, district_id=1)
    make.trainee("王五", phone=PHONE, district_id=1)
    make.trainee("李四", district_id=2)
    number = legacy_of(db, "张三峰", id_number=ID_NUMBER, unit="西城区红十字会")
    phone = legacy_of(db, "王五", phone=PHONE, unit="西城区红十字会")
    name = legacy_of(db, "李四")
    aside = legacy_of(db, "李四", set_aside_at=clock.now())
    legacy_of(db, "无人")
    settle(db)
    groups = {group: shown(db, EVERYTHING, group) for group in WaitingGroup}
    assert groups == {
        WaitingGroup.ID_NUMBER: [number], WaitingGroup.PHONE: [phone], WaitingGroup.NAME: [name], WaitingGroup.ASIDE: [aside],
    }  # fmt: skip
    assert shown(db, EVERYTHING, WaitingGroup.NAME, holder="李四", number=name.number) == [name]
    assert shown(db, EVERYTHING, WaitingGroup.NAME, holder="王五") == []


def test_a_district_sees_what_may_be_its_peoples(db: Session, make: Make) -> None:
    make.trainee("王五", phone=PHONE, district_id=1)
    make.trainee("李四", district_id=2)
    phone = legacy_of(db, "王五", phone=PHONE, unit="西城区红十字会")
    own_name, other_unit = legacy_of(db, "王五"), legacy_of(db, "王五", unit="西城区红十字会")
    elsewhere = legacy_of(db, "李四")
    settle(db)
    assert shown(db, DISTRICT, WaitingGroup.PHONE) == [phone]
    assert shown(db, DISTRICT, WaitingGroup.NAME) == [own_name]
    assert waiting.fetch(db, own_name.id, DISTRICT) is own_name
    for row in (other_unit, elsewhere):
        with pytest.raises(NotFound):
            waiting.fetch(db, row.id, DISTRICT)
        assert waiting.fetch(db, row.id, EVERYTHING) is row
    for nobody in (Scope(), Scope(organisation_ids=frozenset({1}))):
        assert shown(db, nobody, WaitingGroup.NAME) == []


def test_a_matched_one_is_found_by_whoever_sees_all_of_the_record(db: Session, make: Make) -> None:
    own, other = make.trainee("王五", district_id=1), make.trainee("王五", district_id=2)
    mine, theirs = legacy_of(db, "王五", holder=own), legacy_of(db, "王五", holder=other)
    assert waiting.fetch(db, mine.id, DISTRICT, lock=True) is mine
    with pytest.raises(NotFound):
        waiting.fetch(db, theirs.id, DISTRICT)


def test_the_likeliest_person_comes_first_with_the_last_training(db: Session, make: Make) -> None:
    namesake = make.trainee("张三丰", district_id=1)
    offering = make.offering()
    make.enrolment(offering, namesake)
    holder = person(make, "张三封", id_number=ID_NUMBER, district_id=1)
    make.trainee("张三丰", district_id=2)
    row = legacy_of(db, id_number=ID_NUMBER)
    found = waiting.candidates(db, row, DISTRICT)
    assert [(each.trainee, each.same_number, each.same_name) for each in found] == [
        (holder, True, False),
        (namesake, False, True),
    ]
    assert (found[0].training, found[1].training) == (None, offering)
    assert len(waiting.candidates(db, row, EVERYTHING)) == 3
    assert {course.certificate_type for course in waiting.types(db)} >= {1, 2, 3}


def test_what_is_missing_on_both_sides_agrees_with_nothing(db: Session, make: Make) -> None:
    """People without ID number or phone are no candidates for a certificate without either."""
    namesake = make.trainee("张三丰", phone=None, district_id=1)
    make.trainee("李四", phone=None, district_id=1)
    [found] = waiting.candidates(db, legacy_of(db), EVERYTHING)
    assert (found.trainee, found.same_number, found.same_phone, found.same_name) == (namesake, False, False, True)
