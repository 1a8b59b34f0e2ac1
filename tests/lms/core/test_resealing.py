"""Sealing everything anew: every kind of row is readable and found under the new key alone, whatever stops the work."""

import base64
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from courses.enrolment import listings, sheet_import, trainee_search, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.imports import runs
from courses.imports.kinds import ImportContext
from courses.models.enrolment import Enrolment, EnrolmentImport
from courses.models.imports import ImportRun, ImportState
from courses.models.privacy import Consent
from courses.models.proposals import Proposal
from courses.models.self_check_in import CheckInKey
from courses.models.trainees import Trainee
from courses.reports.exports import exports
from instructors.models import Instructor
from lms.accounts import contact_checks, recovery_codes, user_contacts, users
from lms.accounts.models import ContactCheck, RecoveryCode, Totp, User
from lms.config import Settings
from lms.core import crypto, resealing, sealed_columns
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError
from lms.core.messages.models import Message
from lms.core.messages.owing import content_of
from lms.core.scope import EVERYTHING
from tests import sealed_world
from tests.conftest import FIELD_KEY
from tests.factories import Make

NEW = "2:" + base64.b64encode(bytes(range(100, 132))).decode()


@pytest.fixture
def sessions(fresh_database: str, app: Flask) -> Iterator[sessionmaker[Session]]:
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()
    crypto.configure(FIELD_KEY)


def left(sessions: sessionmaker[Session]) -> int:
    with sessions() as db:
        return sum(sums.beside(crypto.cipher().number) for sums in resealing.count(db))


def test_every_kind_of_row_under_the_new_key_alone(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions() as db:
        world = sealed_world.build(db, settings)
        phone, trainee_phone, ticket = world.user.phone or "", world.trainee.phone or "", world.enrolment.ticket
        instructor_phone = world.instructor.phone
        code = next(secret for secret in world.secrets if len(secret) == 6 and secret.isdigit())
        filled = {sums.place for sums in resealing.count(db) if sums.by_key}
        everything = {sealed.place for places in sealed_columns.by_table().values() for sealed in places}
        assert filled == everything, "the world has a row of every kind"
    crypto.configure(NEW, [FIELD_KEY])
    before = left(sessions)
    stops = iter([False, False, False, *[True] * 1000])
    list(resealing.reseal(sessions, stopped=lambda: next(stops)))
    assert 0 < left(sessions) < before, "it was stopped halfway"
    with sessions() as db:  # meanwhile, both keys open and find
        assert users.find(db, "wang.city@EXAMPLE.org") == users.find(db, phone) != None  # noqa: E711
    assert not [row for progress in resealing.reseal(sessions) for row in progress.unreadable]
    assert left(sessions) == 0
    crypto.configure(NEW)
    with sessions() as db:
        user = users.find(db, "wang.city@EXAMPLE.org")
        assert user is not None
        assert (users.find(db, phone), user.email, user.phone) == (user, "Wang.City@example.org", phone)
        assert (
            crypto.cipher().decrypt("totp.secret", user.ref, db.get_one(Totp, user.id).secret_sealed).startswith("JBSW")
        )
        assert recovery_codes.accept(db, user, world.recovery_codes[0].replace("-", ""))
        assert db.scalars(select(ContactCheck).where(ContactCheck.contact_is("FRESH@example.org"))).one().contact
        assert contact_checks.confirm_code(db, world.check_ref, code).proven is False, "a code ends with its key"
        instructor = db.get_one(Instructor, world.instructor.id)
        assert (instructor.phone, instructor.email) == (instructor_phone, "zhao@example.org")
        trainee = db.get_one(Trainee, world.trainee.id)
        facts = trainees.facts_of(trainee)
        assert (facts.phone, facts.email, facts.id_number) == (
            trainee_phone,
            "zhang@example.org",
            sealed_world.ID_NUMBER,
        )
        assert facts.guardian_phone is not None
        for query in (trainee_phone, sealed_world.ID_NUMBER):
            assert trainee in trainee_search.search(db, query, EVERYTHING).rows
        guardian = db.scalars(select(Consent)).one().guardian()
        assert guardian is not None
        assert guardian["name"] == "张父"
        enrolment = listings.get_by_ticket(db, ticket)
        assert (enrolment.ticket, enrolment.email, enrolment.phone is not None) == (ticket, "given@example.org", True)
        pending = db.scalars(select(EnrolmentImport)).one()
        assert sheet_import.preview(db, pending, EVERYTHING).rows[0].facts is not None
        assert db.get_one(type(world.walk_in), world.walk_in.id).phone
        assert db.scalars(select(Proposal)).one().values()[1]["email"] == "proposed@example.org"
        assert len(db.scalars(select(CheckInKey)).one().key) > 0
        assert all(content_of(message) for message in db.scalars(select(Message)))
        assert b"".join(exports.stored_pieces(sessions, world.export.id)) == "张三丰,13766665555\n".encode()
        assert [sums for sums in resealing.count(db) if sums.beside(2)] == []


@pytest.mark.usefixtures("app")
def test_imports_that_were_checked_go_on_under_both_keys_and_under_the_new_one(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    """People of the file are found in the register whatever key either has, and no person is made twice."""
    context = ImportContext(settings.zone, chunk=2)
    with sessions() as db:
        world = sealed_world.build(db, settings)
        known = world.trainee.id
        crypto.configure(NEW, [FIELD_KEY])
        made = Make(db).trainee("孙二", phone="+8613811110003").id  # meanwhile, under the new key
        db.commit()
        run = db.get_one(ImportRun, world.past_run)
        runs.start(db, run)
        world.past.work(run)
        assert (run.state, run.tally["enrolments"]) == (ImportState.DONE, 3)
        names = dict(
            db.execute(select(Trainee.name, Trainee.id).join(Enrolment, Enrolment.trainee_id == Trainee.id)).all()
        )
        assert (names["孙二"], names["张三丰"], len(names)) == (made, known, 3)
        tickets = [row.ticket for row in db.scalars(select(Enrolment).where(Enrolment.source == "import"))]
        assert len(set(tickets)) == 3
        assert all(listings.get_by_ticket(db, ticket).ticket == ticket for ticket in tickets)
        checked = db.get_one(ImportRun, world.checked_run)
        list(resealing.reseal(sessions))
        crypto.configure(NEW)
        db.expire_all()
        runs.start(db, checked)
        for _progress in runs.work(db, checked.id, context):
            db.commit()
        instructor = db.scalars(select(Instructor).where(Instructor.registration_number == "SZ-77")).one()
        assert instructor.phone == "+8613811110001"
        crypto.configure("3:" + NEW[2:], [NEW])
        list(resealing.reseal(sessions))
        db.expire_all()
        runs.undo(db, checked, "错误的文件")
        for _progress in runs.work(db, checked.id, context):
            db.commit()
        assert db.scalar(select(Instructor.id).where(Instructor.registration_number == "SZ-77")) is None


def test_a_contact_is_proven_by_one_account_although_the_keys_differ(db: Session, make: Make) -> None:
    phone = make.phone()
    first, second = make.user(phone=phone), make.user(proven=False, phone=phone)
    db.flush()
    crypto.configure(NEW, [FIELD_KEY])
    with pytest.raises(DomainError) as refused:
        user_contacts.prove(db, second, ContactKind.PHONE, phone, ContactProof.CODE)
    assert refused.value.code == "phone_taken"
    trainee = make.trainee("张三", phone=phone, email="a@example.org")
    trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    crypto.configure("3:" + NEW[2:], [NEW, FIELD_KEY])
    trainee.phone, trainee.email = phone, "A@example.org"
    assert trainee.is_proven(ContactKind.PHONE), "the same number is not a new one"
    assert trainees.match(db, TraineeFacts("张三", phone)) is trainee
    assert first.phone == phone
    crypto.configure(FIELD_KEY)


def test_recovery_codes_of_the_former_form_end_and_their_owner_is_told(
    sessions: sessionmaker[Session], app: Flask
) -> None:
    (hashes,) = sealed_columns.keyed_hashes()
    with sessions() as db:
        user = Make(db).user()
        code = "23456789abcd"
        keyed = crypto.cipher().blind_index("recovery_code", f"{user.ref}\0{code}")
        db.add_all([RecoveryCode(user_id=user.id, code_hash=keyed), RecoveryCode(user_id=user.id, code_hash=b"x" * 32)])
        db.commit()
        crypto.configure(NEW, [FIELD_KEY])
        assert hashes.count(db) == 1
        assert recovery_codes.accept(db, user, code), "accepted while the key is there"
        db.rollback()
    with app.app_context():
        assert resealing.end_hashes(sessions, hashes) == 1
    with sessions() as db:
        assert db.scalars(select(RecoveryCode.code_hash)).all() == [b"x" * 32]
        (message,) = db.scalars(select(Message)).all()
        assert message.purpose == "notice_recovery_codes_ended"


def test_a_row_that_no_key_opens_is_named_and_keeps_its_place(sessions: sessionmaker[Session]) -> None:
    with sessions() as db:
        user = Make(db).user()
        db.execute(
            text("UPDATE app_user SET email_sealed = set_byte(email_sealed, 20, get_byte(email_sealed, 20) # 1)")
        )
        db.commit()
    crypto.configure(NEW, [FIELD_KEY])
    *_others, last = (progress for progress in resealing.reseal(sessions) if progress.table == "app_user")
    assert last.unreadable == [f"app_user {user.id}"]
    assert left(sessions) == 1


def test_a_row_that_changes_meanwhile_keeps_the_newer_value(sessions: sessionmaker[Session]) -> None:
    """Rows that others have locked wait for the next round, and what they wrote stays."""
    with sessions() as db:
        user = Make(db).user(phone="+8613800000001")
        db.commit()
    crypto.configure(NEW, [FIELD_KEY])
    with sessions() as writer:
        row = writer.get_one(User, user.id, with_for_update=True)
        work = resealing.reseal(sessions)
        steps = [next(work)]
        while steps[-1].table != "app_user":
            steps.append(next(work))
        row.phone = "+8613800000002"
        writer.commit()
    list(work)
    crypto.configure(NEW)
    with sessions() as db:
        assert users.find(db, "+8613800000002") is not None
        assert left(sessions) == 0
