"""Erasing a person: requests, retention, imports, and whoever works on the person at the same moment."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from courses.enrolment import places
from courses.imports import runs
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.imports import ImportAttendance, ImportState
from courses.models.offerings import OfferingState
from courses.models.privacy import ErasureRequest, ErasureState
from courses.models.trainees import ERASED_NAME, Trainee
from courses.privacy import erasure
from lms.config import Settings
from lms.core import audit, clock, retention_rules
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError, NotFound
from lms.core.messages.models import Message
from lms.core.scope import Role
from tests.courses.imports.past_files import PastWorld
from tests.courses.worlds import BEIJING
from tests.factories import Make

pytestmark = pytest.mark.usefixtures("app")


def test_a_request_is_open_once_and_answered(db: Session, make: Make) -> None:
    trainee = make.trainee()
    trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    erasure.ask(db, trainee, by_staff=False)
    with pytest.raises(DomainError, match="already been asked"):
        erasure.ask(db, trainee, by_staff=False)
    erasure.take_back(db, trainee)
    with pytest.raises(NotFound):
        erasure.take_back(db, trainee)
    audit.act_as(db, make.user(Role.CITY_ADMINISTRATOR).id)
    erasure.ask(db, trainee, by_staff=True)
    assert [row.trainee_id for row in erasure.open_requests(db)] == [trainee.id]
    erasure.refuse(db, trainee, "还有一个培训未结课")
    assert db.scalars(select(Message.purpose)).all() == ["record_answered"]
    erasure.ask(db, trainee, by_staff=True)
    erasure.erase(db, trainee.id, reason="书面申请")
    states = db.scalars(select(ErasureRequest.state).order_by(ErasureRequest.id)).all()
    assert states == [ErasureState.WITHDRAWN, ErasureState.REFUSED, ErasureState.DONE]
    assert set(db.scalars(select(ErasureRequest.answer))) == {None}
    told = db.scalars(select(Message).where(Message.purpose == "data_erased")).one()
    assert told.person is None


def test_a_person_of_an_undone_import_does_not_come_back(db: Session, make: Make, settings: Settings) -> None:
    world = PastWorld(db, make, settings)
    run = world.done([world.row(), world.row(name="李红", phone="13800138001")])
    trainee = db.scalars(select(Trainee).where(Trainee.name == "王小明")).one()
    erasure.erase(db, trainee.id, reason="申请")
    db.commit()
    assert db.scalars(select(ImportAttendance.name)).all() == ["李红"]
    assert world.differences() == []
    runs.undo(db, run, "wrong file")
    world.work(run)
    assert run.state is ImportState.UNDONE
    assert world.differences() == []
    assert "王小明" not in set(db.scalars(select(Trainee.name)))


def test_retention_erases_who_is_long_gone_and_nobody_else(db: Session, make: Make) -> None:
    now = clock.now()
    old, recent = now - timedelta(days=2200), now - timedelta(days=100)

    def closed(moment_days: int) -> dict[str, object]:
        moment = now - timedelta(days=moment_days)
        return {"state": OfferingState.CLOSED, "closed_at": moment, "counted_on": clock.day_of(moment, BEIJING)}

    people = {name: make.trainee(name) for name in ("走了", "最近", "在训", "新来", "走了二")}
    for name, trainee in people.items():
        trainee.created_at = recent if name == "新来" else old
    completed = {"created_at": old}
    make.enrolment(make.offering(**closed(2000)), people["走了"], EnrolmentState.COMPLETED, **completed)
    make.enrolment(make.offering(**closed(50)), people["最近"], EnrolmentState.COMPLETED, **completed)
    make.enrolment(make.offering(), people["在训"], **completed)
    db.flush()
    before = retention_rules.before(db, "trainee")
    assert before is not None
    kind = retention_rules.kind_of("trainee")
    assert kind.due is not None
    assert kind.erase is not None
    assert kind.due(db, before) == 2
    assert sum(kind.erase(db, before)) == 2
    assert kind.due(db, before) == 0
    names = {trainee.name for trainee in people.values()}
    assert names == {ERASED_NAME, "最近", "在训", "新来"}


@pytest.fixture
def sessions(fresh_database: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of two users at once, on a database of their own."""
    engine = create_engine(fresh_database)
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


def test_who_is_being_enrolled_elsewhere_is_not_erased_and_the_other_way_round(sessions: sessionmaker[Session]) -> None:
    with sessions() as db:
        make = Make(db)
        trainee, offering = make.trainee(), make.offering()
        db.commit()
        trainee_id, offering_id = trainee.id, offering.id
    with sessions() as enrolling, sessions() as erasing:
        places.enrol(enrolling, offering_id, enrolling.get_one(Trainee, trainee_id), source=EnrolmentSource.STAFF)
        with pytest.raises(DomainError, match="working on this person"):
            erasure.erase(erasing, trainee_id, reason="申请")
        erasing.rollback()
        enrolling.rollback()
        erasure.erase(erasing, trainee_id, reason="申请")
        erasing.commit()
        with pytest.raises(IntegrityError, match="was erased"):
            places.enrol(enrolling, offering_id, enrolling.get_one(Trainee, trainee_id), source=EnrolmentSource.STAFF)


def test_who_is_being_certified_is_not_erased(sessions: sessionmaker[Session]) -> None:
    """Before the issuing the certificate is owed; while it runs, it holds the enrolment's row."""
    now = clock.now()
    with sessions() as db:
        make = Make(db)
        offering = make.offering(state=OfferingState.CLOSED, closed_at=now, counted_on=clock.branch_today())
        enrolment = make.enrolment(offering, state=EnrolmentState.COMPLETED, certificate_due=True)
        db.commit()
        trainee_id = enrolment.trainee_id
    with sessions() as issuing, sessions() as erasing:
        with pytest.raises(DomainError, match="still open"):
            erasure.erase(erasing, trainee_id, reason="申请")
        erasing.rollback()
        row = issuing.scalars(select(Enrolment).with_for_update(skip_locked=True)).one()
        with pytest.raises(DomainError, match="working on this person"):
            erasure.erase(erasing, trainee_id, reason="申请")
        row.certified_at = now
        issuing.commit()
        erasing.rollback()
        erasure.erase(erasing, trainee_id, reason="申请")


def test_two_erasures_at_once_are_one(sessions: sessionmaker[Session]) -> None:
    with sessions() as db:
        trainee = Make(db).trainee()
        trainee.phone = None
        trainee.set_id_number(None, None)
        db.commit()
        trainee_id = trainee.id
    with sessions() as first, sessions() as second:
        erasure.erase(first, trainee_id, reason="申请")
        with pytest.raises(DomainError, match="working on this person"):
            erasure.erase(second, trainee_id, reason="申请")
        first.commit()
        second.rollback()
        with pytest.raises(DomainError, match="already"):
            erasure.erase(second, trainee_id, reason="申请")
        entries = select(func.count()).where(audit.AuditEntry.action == "trainee.erase")
        assert second.scalar(entries) == 1


def test_the_application_registers_everything(app: Flask) -> None:
    assert {kind.code for kind in retention_rules.registered()} >= {"trainee", "message", "walk_in", "guardian"}
