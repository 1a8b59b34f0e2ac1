"""Legacy certificates of people are reminded of as others are: once at each distance, by proven contacts, with the way."""

from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from certificates.legacy import reminders
from certificates.legacy.models import LegacyCertificate
from certificates.tasks import remind as remind_task
from courses.models.trainees import Trainee
from lms.config import Settings
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.messages.owing import Content
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make

DISTANCES = (90, 30, 7)
LAST = date(2027, 6, 1)


@pytest.fixture
def holder(make: Make) -> Trainee:
    row = make.trainee("张三丰", email="holder@example.org", district_id=2)
    row.set_proof(ContactKind.EMAIL, ContactProof.CODE)
    make.db.flush()
    return row


def remind(db: Session, settings: Settings, days_before: int) -> int:
    """Run the daily work so many days before the last valid day; how many reminders it owed."""
    noon = datetime.combine(LAST, time(12), tzinfo=settings.zone)
    total = 0
    with clock.at(noon - timedelta(days=days_before)):
        while number := reminders.remind(db, DISTANCES, zone=settings.zone):
            db.commit()
            total += number
    return total


def test_each_distance_reminds_once_with_the_way_to_it(db: Session, settings: Settings, holder: Trainee) -> None:
    row = legacy_of(db, holder=holder, valid_until=LAST)
    told = [days for days in range(95, -3, -1) if remind(db, settings, days)]
    assert told == [90, 30, 7]
    assert [distance for distance, _moment in reminders.owed(db, [row.id], DISTANCES)[row.id]] == [90, 30, 7]
    assert reminders.owed(db, [row.id + 1], DISTANCES) == {}
    first = Content.of(db.scalars(select(Message).order_by(Message.id).limit(1)).one())
    assert first.addresses[0].value == "holder@example.org"
    assert first.text.startswith("张三丰:")
    assert first.text.count(row.number) == first.text.count("2027-06-01") == 2
    assert first.text.count(f"{owing.SITE}/my-certificate") == 2


def test_after_an_outage_only_the_nearest_distance_is_sent(db: Session, settings: Settings, holder: Trainee) -> None:
    legacy_of(db, holder=holder, valid_until=LAST)
    assert [remind(db, settings, days) for days in (20, 19, 5, 4, -1)] == [1, 0, 1, 0, 0]


def test_refreshers_near_the_holder_are_named(db: Session, make: Make, settings: Settings, holder: Trainee) -> None:
    legacy_of(db, holder=holder, valid_until=LAST)
    course = make.new_course(refresher=True, certificate_type=1)
    soon = datetime.combine(LAST, time(9), tzinfo=settings.zone)
    far = make.offering(course=course, organisation=make.organisation(5), starts=[soon])
    near = make.offering(course=course, organisation=make.organisation(2), starts=[soon + timedelta(days=1)])
    assert remind(db, settings, 30) == 1
    text = Content.of(db.scalars(select(Message)).one()).text
    assert text.index(f"/training/{near.id}\n") < text.index(f"/training/{far.id}\n")


def test_nobody_is_reminded_where_it_would_be_wrong(
    db: Session, make: Make, settings: Settings, holder: Trainee
) -> None:
    moment = clock.now()
    for facts in (
        {"revoked_at": moment, "revoke_reason": "档案有误"},
        {"erased_at": moment},
        {"issued_on": LAST - timedelta(days=20)},  # nobody is warned on the day of issue
    ):
        legacy_of(db, holder=holder, valid_until=LAST, certificate_type=9, **facts)
    legacy_of(db, valid_until=LAST)
    legacy_of(db, holder=make.trainee(email="claimed@example.org"), valid_until=LAST)
    legacy_of(db, holder=holder, valid_until=LAST, certificate_type=7)
    legacy_of(db, holder=holder, valid_until=None, certificate_type=7)
    assert remind(db, settings, 30) == 0
    assert db.scalars(select(Message)).all() == []


def test_the_task_reminds_and_the_command_tells_before(app: Flask, db: Session, holder: Trainee) -> None:
    row = legacy_of(db, holder=holder, valid_until=LAST)
    db.commit()
    noon = datetime.combine(LAST, time(12), tzinfo=app.config["SETTINGS"].zone)
    with clock.at(noon - timedelta(days=90)):
        dry = app.test_cli_runner().invoke(args=["certificates", "remind", "--dry-run"])
        assert f"{row.number} (legacy): 90 days left, reminder of 90 days" in dry.output
        with app.app_context():
            remind_task()
            remind_task()
        assert app.test_cli_runner().invoke(args=["certificates", "remind"]).output.startswith("0 reminders")
    assert db.scalars(select(Message.key)).all() == [f"reminder:legacy:{row.id}:90"]


def test_a_killed_worker_reminds_nobody_twice(fresh_database: str, settings: Settings) -> None:
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine)
    with sessions() as db:
        person = Make(db).trainee("张三丰", email="holder@example.org")
        person.set_proof(ContactKind.EMAIL, ContactProof.CODE)
        legacy_of(db, holder=person, valid_until=LAST)
        db.commit()
    noon = datetime.combine(LAST, time(12), tzinfo=settings.zone)
    with clock.at(noon), sessions() as first, sessions() as second:
        assert reminders.remind(first, DISTANCES, zone=settings.zone) == 1
        assert reminders.remind(second, DISTANCES, zone=settings.zone) == 0
        first.rollback()
        second.rollback()
        assert reminders.remind(second, DISTANCES, zone=settings.zone) == 1
        second.commit()
        assert reminders.remind(first, DISTANCES, zone=settings.zone) == 0
        assert len(second.scalars(select(Message.id)).all()) == 1
        assert len(second.scalars(select(LegacyCertificate.id)).all()) == 1
    engine.dispose()
