"""The register of trainees: one record for each person, valid facts, audited reads, and the search."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.enrolment import trainees
from courses.enrolment.id_numbers import check_character
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.trainees import IdType, Trainee
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.engine import make_engine
from lms.core.errors import DomainError
from lms.core.masks import mask_email, mask_id, mask_phone
from lms.core.scope import EVERYTHING
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make

BEIJING = ZoneInfo("Asia/Shanghai")
ID = "11010519491231002X"
ZHANG = TraineeFacts(name="张三", phone="+8613812345678", birth_year=1949)


def resident(body: str) -> str:
    return body + check_character(body)


def count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Trainee)) or 0


def test_the_same_person_is_found_again(db: Session) -> None:
    first = register(db, ZHANG)
    assert register(db, replace(ZHANG, name=" 张 三")) is first
    by_number = register(db, replace(ZHANG, id_type=IdType.RESIDENT, id_number=ID), scope=EVERYTHING)
    assert by_number is first
    assert first.open_id_number() == ID
    assert register(db, TraineeFacts("张三", id_type=IdType.RESIDENT, id_number=ID.lower())) is first


def test_another_name_phone_or_resident_number_is_another_person(db: Session) -> None:
    first = register(db, ZHANG)
    assert register(db, replace(ZHANG, name="张四")) is not first
    assert register(db, replace(ZHANG, phone="+8613812345679")) is not first
    known = register(db, replace(ZHANG, id_number=ID), scope=EVERYTHING)
    assert known is first
    assert register(db, replace(ZHANG, birth_year=None, id_number=resident("11010119900307081"))) is not first


def test_gaps_are_filled_and_differences_reported(db: Session) -> None:
    register(db, ZHANG)
    facts = replace(ZHANG, birth_year=1950, email="z@example.org")
    registration = trainees.find_or_create(db, facts, scope=EVERYTHING)
    assert (registration.created, registration.filled, registration.differences) == (False, ("email",), ("birth_year",))
    assert (registration.trainee.birth_year, registration.trainee.email) == (1949, "z@example.org")


def test_a_stranger_fills_nothing(db: Session) -> None:
    first = register(db, ZHANG)
    trainees.find_or_create(db, replace(ZHANG, email="stranger@example.org"))
    assert first.email is None


def test_concurrent_registrations_create_one_record(fresh_database: str) -> None:
    engine = make_engine(fresh_database, pool_size=16)
    sessions = make_sessions(engine)
    together = threading.Barrier(16)

    def go(number: int) -> int:
        facts = replace(ZHANG, id_number=ID) if number % 2 else ZHANG
        together.wait()
        with transaction(sessions) as db:
            return register(db, facts).id

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(go, range(16)))) == 1
    with transaction(sessions) as db:
        assert count(db) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (TraineeFacts(name=" · ", phone="+8613812345678"), "name"),
        (TraineeFacts(name="张三"), "phone"),
        (replace(ZHANG, birth_year=1066), "birth_year"),
        (replace(ZHANG, birth_year=1950, id_number=ID), "birth_year"),
        (replace(ZHANG, id_number="110105194912310021"), "id_number"),
        (replace(ZHANG, birth_year=clock.branch_today().year - 13), "guardian_name"),
        (replace(ZHANG, birth_year=clock.branch_today().year - 14, guardian_name="张父"), "guardian_phone"),
    ],
)
def test_a_refusal_names_its_field(facts: TraineeFacts, field: str, db: Session) -> None:
    with pytest.raises(DomainError) as refused:
        register(db, facts)
    assert refused.value.field == field


def test_a_child_with_a_guardian(db: Session) -> None:
    child = register(
        db,
        replace(ZHANG, birth_year=clock.branch_today().year - 8, guardian_name="张父", guardian_phone="+8613900000000"),
    )
    assert child.guardian_phone == "+8613900000000"


def test_the_exact_birthday_counts_where_it_is_known() -> None:
    today = clock.branch_today()
    past = resident(f"110101{today.year - 14}{today:%m%d}001") if f"{today:%m%d}" != "0229" else ID
    assert not trainees.needs_guardian(TraineeFacts("李四", id_type=IdType.RESIDENT, id_number=past))
    assert trainees.needs_guardian(TraineeFacts("李四", birth_year=today.year - 14))


@pytest.mark.parametrize(("hour", "day", "asked"), [(7, 17, False), (0, 17, False), (23, 16, True), (7, 16, True)])
def test_a_birthday_begins_at_midnight_in_beijing(hour: int, day: int, *, asked: bool) -> None:
    """On the morning of the fourteenth birthday nobody is asked for a guardian, though in UTC it is still the eve."""
    child = TraineeFacts("李四", id_type=IdType.RESIDENT, id_number=resident("11010520120617001"))
    with clock.at(datetime(2026, 6, day, hour, 30, tzinfo=BEIJING)):
        assert trainees.needs_guardian(child) is asked


def test_a_year_begins_at_midnight_in_beijing() -> None:
    born_2011 = TraineeFacts("李四", phone=ZHANG.phone, birth_year=2011)
    with clock.at(datetime(2026, 1, 1, 7, 30, tzinfo=BEIJING)):
        assert not trainees.needs_guardian(born_2011)
        assert trainees.validate(replace(ZHANG, birth_year=2026, guardian_name="张父", guardian_phone="+8613900000000"))
    with clock.at(datetime(2025, 12, 31, 23, 30, tzinfo=BEIJING)):
        assert trainees.needs_guardian(born_2011)


def test_a_correction_keeps_facts_that_are_not_given_and_is_audited_masked(db: Session) -> None:
    row = register(db, replace(ZHANG, id_number=ID, email="z@example.org"))
    trainees.change(
        db, row, TraineeFacts("张叁", birth_year=1949, phone="+8613900001111"), EVERYTHING, reason="更换号码"
    )
    assert (row.name, row.name_key, row.phone, row.email) == ("张叁", "张叁", "+8613900001111", "z@example.org")
    assert row.open_id_number() == ID
    entry = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert entry.action == "trainee.change"
    assert entry.before == {"name": "张*", "phone": "138****5678"}
    assert entry.after == {"name": "张*", "phone": "139****1111"}
    before = db.scalar(select(func.count()).select_from(AuditEntry))
    trainees.change(db, row, TraineeFacts("张叁", birth_year=1949), EVERYTHING)
    assert db.scalar(select(func.count()).select_from(AuditEntry)) == before


def test_a_correction_cannot_turn_a_record_into_another_person(db: Session) -> None:
    register(db, ZHANG)
    other = register(db, replace(ZHANG, name="张四"))
    with pytest.raises(DomainError) as refused:
        trainees.change(db, other, ZHANG, EVERYTHING)
    assert refused.value.code == "person_known"


def test_no_audit_entry_holds_a_fact_in_clear(db: Session) -> None:
    register(db, replace(ZHANG, id_number=ID, email="zhang@example.org"))
    text = str(db.scalars(select(AuditEntry.after)).all())
    assert not any(fact in text for fact in (ID, "13812345678", "zhang@example.org"))


def test_the_database_refuses_a_second_number(db: Session, make: Make) -> None:
    make.trainee().set_id_number(IdType.RESIDENT, ID)
    db.flush()
    make.trainee().set_id_number(IdType.RESIDENT, ID)
    with pytest.raises(IntegrityError, match="uq_trainee_id_number"):
        db.flush()


def test_masks() -> None:
    assert mask_phone("+8613812345678") == "138****5678"
    assert mask_phone("+442071838750") == "+44****8750"
    assert mask_id(ID) == "110***********002X"
    assert mask_id("E12345678") == "E******78"
    assert mask_email("zhang@example.org") == "z***@example.org"
    assert (mask_phone(None), mask_id(None), mask_email(None)) == ("", "", "")
