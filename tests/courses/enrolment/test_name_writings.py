"""The writing of a name that no font can print: chosen by the holder, recorded with a reason, undone until it is issued."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.enrolment import name_writings
from courses.enrolment.name_writings import UnprintableName
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.name_writings import NameWriting
from lms.core import audit, clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening
from tests.factories import Make

LACKING = "\ue5e5"
NAME = f"王{LACKING}"
WHY = "本人到场选择"


@pytest.fixture
def enrolment(make: Make) -> Enrolment:
    return make.enrolment(make.offering(), make.trainee(NAME))


def refused(db: Session, enrolment: Enrolment, writing: str, reason: str = WHY) -> str:
    with pytest.raises(DomainError) as error:
        name_writings.record(db, enrolment, writing, reason)
    return error.value.code


def test_a_writing_is_recorded_replaced_and_undone_each_with_its_reason(
    db: Session, make: Make, enrolment: Enrolment
) -> None:
    user = make.user(Role.CITY_ADMINISTRATOR)
    audit.act_as(db, user.id)
    name_writings.record(db, enrolment, " 王\u200b昜 ", WHY)
    name_writings.record(db, enrolment, "Wang Yi", "本人改用拼音")
    assert name_writings.chosen(db, {enrolment.id: NAME}) == {enrolment.id: "Wang Yi"}
    name_writings.withdraw(db, enrolment, "本人撤回")
    assert name_writings.chosen(db, {enrolment.id: NAME}) == {}
    rows = name_writings.history(db, enrolment.id)
    assert [(row.writing, row.reason, row.recorded_by, row.withdrawn_by) for row in rows] == [
        ("Wang Yi", "本人改用拼音", user.id, user.id),
        ("王昜", WHY, user.id, user.id),
    ]
    entries = db.scalars(select(AuditEntry).where(AuditEntry.subject == f"enrolment:{enrolment.id}")).all()
    actions = ["name_writing.record", "name_writing.record", "name_writing.withdraw"]
    assert [entry.action for entry in entries] == actions
    assert [entry.reason for entry in entries] == [WHY, "本人改用拼音", "本人撤回"]
    assert all("王昜" not in str(entry.before) + str(entry.after) for entry in entries)


def test_a_writing_must_say_why_can_be_printed_and_is_for_a_name_that_cannot(
    db: Session, make: Make, enrolment: Enrolment
) -> None:
    assert refused(db, enrolment, "王昜", " ") == "reason_missing"
    assert refused(db, enrolment, f"汪{LACKING}") == "text_unprintable"
    for nothing in ("", "\u3164", "··", "王" * 61):
        assert refused(db, enrolment, nothing) == "writing_wrong"
    other = make.enrolment(make.offering(), make.trainee("王明"))
    assert refused(db, other, "李明") == "name_printable"
    cancelled = make.enrolment(make.offering(), make.trainee(NAME), EnrolmentState.CANCELLED)
    assert refused(db, cancelled, "王昜") == "writing_gone"


def test_what_is_issued_is_neither_replaced_nor_undone(db: Session, enrolment: Enrolment) -> None:
    name_writings.record(db, enrolment, "王昜", WHY)
    enrolment.certified_at = clock.now()
    db.flush()
    assert refused(db, enrolment, "王一") == "certificate_issued"
    with pytest.raises(DomainError) as error:
        name_writings.withdraw(db, enrolment, "本人撤回")
    assert error.value.code == "certificate_issued"


def test_there_must_be_something_to_undo(db: Session, enrolment: Enrolment) -> None:
    with pytest.raises(DomainError) as error:
        name_writings.withdraw(db, enrolment, "本人撤回")
    assert error.value.code == "writing_none"


def test_a_class_names_who_cannot_be_printed_and_what_was_decided(
    db: Session, make: Make, enrolment: Enrolment
) -> None:
    offering = enrolment.offering
    decided = make.enrolment(offering, make.trainee(f"安{LACKING}"))
    make.enrolment(offering, make.trainee("王明"))
    make.enrolment(offering, make.trainee(NAME), EnrolmentState.CANCELLED)
    name_writings.record(db, decided, "安一", WHY)
    expected = [
        UnprintableName(decided.id, f"安{LACKING}", (LACKING,), "安一"),
        UnprintableName(enrolment.id, NAME, (LACKING,), None),
    ]
    assert name_writings.of_offering(db, offering.id) == expected
    assert name_writings.of_enrolments(db, [enrolment, decided]) == expected


def test_the_writing_of_another_training_is_suggested(db: Session, make: Make, enrolment: Enrolment) -> None:
    name_writings.record(db, enrolment, "王昜", WHY)
    again = make.enrolment(make.offering(), enrolment.trainee)
    assert name_writings.suggestion(db, again) == "王昜"
    assert name_writings.suggestion(db, make.enrolment(make.offering(), make.trainee(NAME))) == ""


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"reason": ""}, "ck_name_writing_said"),
        ({"writing": ""}, "ck_name_writing_said"),
        ({"writing": NAME}, "ck_name_writing_other"),
        ({"withdrawn_by": 1}, "ck_name_writing_withdrawn"),
    ],
)
def test_the_database_refuses_a_writing_that_says_nothing(
    db: Session, enrolment: Enrolment, facts: dict[str, object], constraint: str
) -> None:
    db.add(NameWriting(**{"enrolment_id": enrolment.id, "name": NAME, "writing": "王昜", "reason": WHY} | facts))
    with pytest.raises(IntegrityError, match=constraint):
        db.flush()


def test_the_database_holds_one_writing_at_a_time(db: Session, enrolment: Enrolment) -> None:
    for writing in ("王昜", "王一"):
        db.add(NameWriting(enrolment_id=enrolment.id, name=NAME, writing=writing, reason=WHY))
    with pytest.raises(IntegrityError, match="uq_name_writing_open"):
        db.flush()


def test_the_holder_chooses_by_ticket_until_the_first_check_in(db: Session, make: Make, enrolment: Enrolment) -> None:
    row = name_writings.choose(db, enrolment, "王昜")
    assert (row.writing, row.recorded_by, row.reason) == ("王昜", None, name_writings.BY_TICKET)
    recording.record(db, happening(enrolment), now=clock.now())
    assert not name_writings.may_choose(db, enrolment)
    with pytest.raises(DomainError) as error:
        name_writings.choose(db, enrolment, "王一")
    assert error.value.code == "writing_late"
    assert not name_writings.may_choose(db, make.enrolment(enrolment.offering, make.trainee("王明")))


def test_a_double_tap_records_one_writing(db: Session, enrolment: Enrolment) -> None:
    rows = [name_writings.record(db, enrolment, "王昜", WHY) for _tap in range(2)]
    assert rows[0] is rows[1]
    assert len(name_writings.history(db, enrolment.id)) == 1


def test_a_corrected_record_needs_a_writing_of_its_own(db: Session, enrolment: Enrolment) -> None:
    name_writings.record(db, enrolment, "王昜", WHY)
    enrolment.trainee.name = f"李{LACKING}"
    db.flush()
    assert name_writings.of_enrolments(db, [enrolment])[0].writing is None
    name_writings.record(db, enrolment, "王昜", WHY)
    assert name_writings.of_enrolments(db, [enrolment])[0].writing == "王昜"
