"""Which legacy certificates become a person's without anybody's decision, and which wait."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from certificates import tasks
from certificates.legacy import matching
from certificates.legacy.models import LegacyCertificate, Match, Suggestion
from courses.models.trainees import IdType, Trainee
from lms.core import clock, crypto
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from tests.certificates.legacy_files import GOOD, HEAD, LIFELONG, take_in
from tests.certificates.legacy_people import ID_NUMBER, OTHER_ID_NUMBER, legacy_of, person
from tests.factories import Make

PHONE = "+8613911112222"


def prove(trainee: Trainee) -> None:
    trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)


def everything(db: Session) -> matching.Matched:
    """Match all; returns what was matched."""
    matched = matching.Matched()
    for progress in matching.match_all(db):
        matched = progress.matched
    db.expire_all()
    return matched


def test_the_id_number_and_the_name_make_it_a_persons(db: Session, make: Make) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    assert everything(db) == matching.Matched(by_number=1)
    assert (row.trainee_id, row.matched_how, row.matched_by) == (trainee.id, Match.ID_NUMBER, None)
    assert row.matched_at is not None
    assert everything(db) == matching.Matched(), "a second run finds nothing"


def test_an_id_number_beside_another_name_is_a_conflict_for_a_person_to_decide(db: Session, make: Make) -> None:
    person(make, "张三丰", id_number=ID_NUMBER)
    row = legacy_of(db, "张三峰", id_number=ID_NUMBER)
    assert everything(db) == matching.Matched()
    assert (row.trainee_id, row.suggestion) == (None, Suggestion.ID_NUMBER)


def test_a_number_of_another_kind_of_document_is_another_number(db: Session, make: Make) -> None:
    trainee = make.trainee("张三丰")
    trainee.set_id_number(IdType.PASSPORT, ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    everything(db)
    assert (row.trainee_id, row.suggestion) == (None, Suggestion.NAME)


def test_a_phone_identifies_nobody_until_it_is_proven(db: Session, make: Make) -> None:
    trainee = make.trainee("张三丰", phone=PHONE)
    row = legacy_of(db, phone=PHONE)
    other = legacy_of(db, "李四", phone=PHONE)
    everything(db)
    assert (row.trainee_id, row.suggestion) == (None, Suggestion.PHONE)
    prove(trainee)
    assert matching.match_people(db, [trainee.id]) == matching.Matched(by_phone=1)
    db.expire_all()
    assert (row.trainee_id, row.matched_how, row.suggestion) == (trainee.id, Match.NAME_AND_PHONE, None)
    assert other.trainee_id is None


def test_a_phone_of_two_namesakes_is_nobodys(db: Session, make: Make) -> None:
    for _ in range(2):
        prove(make.trainee("张三丰", phone=PHONE))
    row = legacy_of(db, phone=PHONE)
    everything(db)
    assert (row.trainee_id, row.suggestion) == (None, Suggestion.PHONE)


def test_two_residents_with_different_numbers_are_two_people_whatever_the_phone(db: Session, make: Make) -> None:
    prove(person(make, id_number=OTHER_ID_NUMBER, phone=PHONE))
    row = legacy_of(db, id_number=ID_NUMBER, phone=PHONE)
    everything(db)
    assert (row.trainee_id, row.suggestion) == (None, None)


def test_what_was_set_aside_and_what_was_erased_is_left_alone(db: Session, make: Make) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    aside = legacy_of(db, id_number=ID_NUMBER, set_aside_at=clock.now())
    trainee_erased = make.trainee("李四")
    trainee_erased.phone = trainee_erased.email = None
    trainee_erased.erased_at = clock.now()
    waiting = legacy_of(db, "李四")
    assert everything(db) == matching.Matched()
    assert (aside.trainee_id, waiting.trainee_id, waiting.suggestion) == (None, None, None)
    assert matching.match_people(db, [trainee.id]) == matching.Matched()


def test_an_import_matches_its_rows_and_keeps_the_phone_sealed(db: Session, make: Make, tmp_path: Path) -> None:
    by_number = person(make, "张三丰", id_number=ID_NUMBER)
    by_phone = make.trainee("王五", phone=PHONE)
    prove(by_phone)
    path = tmp_path / "old.csv"
    rows = (f"{GOOD},", f"{LIFELONG},不详", "京(2014)9号,王五,,,救护员培训,,2014-03-05,,西城区红十字会,139 1111 2222")
    path.write_text("\n".join((f"{HEAD},手机", *rows)), encoding="utf-8")
    run = take_in(db, path)
    assert run.tally["new"] == 3
    owners = {row.name: row for row in db.scalars(select(LegacyCertificate))}
    assert (owners["张三丰"].trainee_id, owners["张三丰"].certificate_type) == (by_number.id, 1)
    assert (owners["王五"].trainee_id, owners["王五"].matched_how) == (by_phone.id, Match.NAME_AND_PHONE)
    assert owners["李四光"].trainee_id is None
    assert owners["李四光"].phone_sealed is None, "a wrong phone is left out with a remark"
    assert b"13911112222" not in (owners["王五"].phone_sealed or b"")
    entries = db.scalars(
        select(AuditEntry).where(AuditEntry.action == "legacy_certificate.match").order_by(AuditEntry.id)
    )
    assert [entry.after for entry in entries] == [{"id_number": 1, "phone": 0}, {"id_number": 0, "phone": 1}]


def test_a_corrected_id_number_lets_go_of_what_was_another_persons(db: Session, make: Make) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    wrong, right = legacy_of(db, id_number=ID_NUMBER), legacy_of(db, id_number=OTHER_ID_NUMBER)
    everything(db)
    assert (wrong.trainee_id, right.trainee_id) == (trainee.id, None)
    trainee.set_id_number(IdType.RESIDENT, OTHER_ID_NUMBER)
    matching.match_people(db, [trainee.id])
    db.expire_all()
    assert (wrong.trainee_id, right.trainee_id) == (None, trainee.id)
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"legacy_certificate:{wrong.id}")).all()
    assert actions == ["legacy_certificate.unlink"]


def test_the_type_is_that_of_the_course_with_the_printed_name_else_the_programmes_one_type(
    db: Session, make: Make
) -> None:
    make.new_course(name_zh="水上救护员", certificate_type=7, programme_code="RESCUE")
    make.new_course(name_zh="山地救护员", certificate_type=8, programme_code="RESCUE")
    named = legacy_of(db, programme_code="RESCUE", course="水上救护员", certificate_type=None)
    unnamed = legacy_of(db, programme_code="RESCUE", course="急救证", certificate_type=None)
    paper = legacy_of(db, course="救护员证书", certificate_type=None)
    several = legacy_of(db, course="急救证", certificate_type=None)
    single = legacy_of(db, programme_code="INSTRUCTOR", course="老师资证", certificate_type=None)
    everything(db)
    assert (named.certificate_type, unnamed.certificate_type) == (7, None)
    assert (paper.certificate_type, several.certificate_type, single.certificate_type) == (1, None, 3)


def test_a_record_that_goes_leaves_its_certificate_to_nobody(db: Session, make: Make) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    everything(db)
    db.execute(text("DELETE FROM trainee WHERE id = :id"), {"id": trainee.id})
    db.refresh(row)
    assert (row.trainee_id, row.matched_how, row.matched_at) == (None, None, None)


@pytest.fixture
def other_key(app: Flask) -> Iterator[None]:
    """The field key is being replaced: a new one seals, the former still reads."""
    settings = app.config["SETTINGS"]
    yield
    crypto.configure(settings.field_key, settings.field_key_fallbacks)


@pytest.mark.usefixtures("other_key")
def test_nothing_is_let_go_while_the_field_key_is_replaced(db: Session, make: Make, app: Flask) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    everything(db)
    former = app.config["SETTINGS"].field_key
    crypto.configure("9:" + former.rpartition(":")[2][::-1].lstrip("=").rjust(43, "A")[:43] + "=", [former])
    matching.match_people(db, [trainee.id])
    db.refresh(row)
    assert row.trainee_id == trainee.id


@pytest.mark.usefixtures("app")
def test_the_plans_use_the_indexes(db: Session, make: Make) -> None:
    legacy_of(db, issued_on=date(2014, 1, 1), holder=make.trainee())
    db.execute(text("SET LOCAL enable_seqscan = off"))
    for column, index in (
        ("trainee_id = 1", "ix_legacy_certificate_trainee_id"),
        ("trainee_id IS NULL AND name_key = '张'", "ix_legacy_certificate_waiting"),
        ("trainee_id IS NULL AND set_aside_at IS NULL AND suggestion = 'name'", "ix_legacy_certificate_suggestion"),
        ("id_number_index = '\\x00'", "ix_legacy_certificate_id_number"),
    ):
        plan = "\n".join(db.scalars(text(f"EXPLAIN SELECT id FROM legacy_certificate WHERE {column}")))
        assert index in plan


def test_the_command_and_the_nightly_task_match_everything(db: Session, make: Make, app: Flask) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    db.commit()
    answer = app.test_cli_runner().invoke(args=["certificates", "legacy", "match"])
    assert answer.exit_code == 0
    assert answer.output.endswith("Matched 1 by ID number and 0 by phone.\n")
    db.refresh(row)
    assert row.trainee_id == trainee.id
    later = legacy_of(db, id_number=ID_NUMBER)
    db.commit()
    with app.app_context():
        tasks.match_legacy()
    db.refresh(later)
    assert later.trainee_id == trainee.id
