"""Finding two records of one person: the reasons, what tells two people apart, and what a search leaves alone."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.merging import finding
from courses.models.merges import TraineePair
from courses.models.trainees import IdType, Trainee
from lms.core import clock
from tests.courses.worlds import Plan, World
from tests.factories import Make

ID_NUMBER, OTHER_NUMBER = "11010519491231002X", "110101199003071233"


def found(db: Session) -> dict[frozenset[str], list[str]]:
    """The pairs of a search, by the names and years of the two records; the reasons of each."""
    db.flush()
    assert list(finding.search(db, all_hosts=True))[-1] == 0
    rows = db.scalars(select(TraineePair).where(TraineePair.apart_at.is_(None)))
    db.expire_all()
    return {frozenset({str(row.first_id), str(row.second_id)}): row.reasons for row in rows}


def pair(*trainees: Trainee) -> frozenset[str]:
    return frozenset(str(trainee.id) for trainee in trainees)


def test_one_phone_and_one_name_or_reading(db: Session, make: Make) -> None:
    first, second = make.trainee("李晓明", phone="+8613800000001"), make.trainee("李晓明", phone="+8613800000001")
    alike, other = make.trainee("李小明", phone="+8613800000001"), make.trainee("王芳", phone="+8613800000001")
    resident = make.trainee("李晓明", phone="+8613800000001", birth_year=1949)
    resident.set_id_number(IdType.RESIDENT, ID_NUMBER)
    elder = make.trainee("李晓明", phone="+8613800000001", birth_year=1990)
    elder.set_id_number(IdType.RESIDENT, OTHER_NUMBER)
    pairs = found(db)
    assert pairs[pair(first, second)] == ["phone_name"]
    assert pairs[pair(first, alike)] == ["phone_sound"]
    assert pair(resident, elder) not in pairs
    assert pair(first, other) not in pairs


def test_one_number_as_two_documents(db: Session, make: Make) -> None:
    first, second = make.trainee("张三"), make.trainee("李四")
    first.set_id_number(IdType.PASSPORT, "E12345678")
    second.set_id_number(IdType.HK_MACAU_PERMIT, "E12345678")
    assert found(db) == {pair(first, second): ["id_number"]}


def test_pinyin_and_year_count_only_at_one_host_where_nothing_tells_the_people_apart(db: Session, make: Make) -> None:
    host, elsewhere = make.organisation(), make.organisation()
    first = make.trainee("张伟", birth_year=1990, phone="+8613800001234")
    listed = make.trainee("张炜", birth_year=1990, phone=None)
    listed.set_id_number(IdType.RESIDENT, OTHER_NUMBER)
    ported = make.trainee("张伟", birth_year=1990, phone="+8615900001234")
    namesake = make.trainee("张伟", birth_year=1990, phone="+8613800005678")
    younger = make.trainee("张伟", birth_year=1991, phone=None)
    away = make.trainee("张伟", birth_year=1990, phone=None)
    for trainee in (first, listed, ported, namesake, younger):
        make.enrolment(make.offering(organisation=host), trainee)
    make.enrolment(make.offering(organisation=elsewhere), away)
    assert found(db) == {
        pair(first, listed): ["host_sound"],
        pair(listed, ported): ["host_sound"],
        pair(listed, namesake): ["host_sound"],
        pair(first, ported): ["host_name"],
    }


def test_two_people_of_one_class_are_two(db: Session, make: Make) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (0,), (), refresher=False, district=1)
    offering = world.close(plan)
    first, second = make.trainee("张伟", birth_year=1990), make.trainee("张伟", birth_year=1990, phone=None)
    for trainee in (first, second):
        make.enrolment(offering, trainee, sessions_attended=1)
    assert found(db) == {}


def test_what_no_longer_holds_goes_and_what_was_decided_stays(db: Session, make: Make) -> None:
    first, second = make.trainee("李四", phone="+8613800000002"), make.trainee("李四", phone="+8613800000002")
    third = make.trainee("李四", phone="+8613800000002")
    assert len(found(db)) == 3
    decided = db.get_one(TraineePair, (first.id, second.id))
    decided.apart_at = clock.now()
    third.phone = "+8613800000003"
    assert found(db) == {}
    db.refresh(decided)
    assert decided.apart_at is not None
    assert finding.of_person(db, third) == []
