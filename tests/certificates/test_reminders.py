"""Reminders: once at each distance, the nearest after an outage, none where it would be wrong."""

import email
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from email import policy
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import Session, sessionmaker

from certificates import issuing, reminders, revocation
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate, CertificateReminder
from certificates.tasks import remind as remind_task
from courses.models.catalogue import Course
from lms.config import Settings, SettingsError, load_settings
from lms.core import clock
from lms.core.messages.models import Message
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make
from tests.messages import deliver_all, messages

DISTANCES = (90, 30, 7)


@pytest.fixture
def course(make: Make) -> Course:
    return make.new_course(name_zh="救护员", name_en="First responder", validity_months=36, certificate_type=1)


@pytest.fixture
def held(db: Session, make: Make, branch: Branch, course: Course) -> Certificate:
    """A certificate of somebody with an e-mail address."""
    enrolment = owe(make, closed_offering(make, course), "张三丰")
    enrolment.email = "zhang@example.org"
    issuing.issue_owed(db, branch, tell=False)
    db.commit()
    return db.scalars(select(Certificate)).one()


@pytest.fixture
def remind(db: Session, branch: Branch, held: Certificate) -> Callable[[int], int]:
    """Run the daily work so many days before the last valid day; how many mails it owed."""
    assert held.valid_until is not None
    last = datetime.combine(held.valid_until, time(12), tzinfo=branch.zone)

    def run(days_before: int) -> int:
        before = len(db.scalars(select(Message.id)).all())
        with clock.at(last - timedelta(days=days_before)):
            while reminders.remind(db, DISTANCES, zone=branch.zone):
                db.commit()
        return len(db.scalars(select(Message.id)).all()) - before

    return run


def sent(db: Session) -> list[int]:
    return list(db.scalars(select(CertificateReminder.days_before).order_by(CertificateReminder.id)))


def test_each_distance_reminds_once(db: Session, remind: Callable[[int], int]) -> None:
    sent_by_days = {days: remind(days) for days in range(95, -3, -1)}
    assert {days for days, number in sent_by_days.items() if number} == {90, 30, 7}
    assert set(sent_by_days.values()) == {0, 1}
    assert sent(db) == [90, 30, 7]


@pytest.mark.parametrize(("days", "distance"), [(60, 90), (30, 30), (20, 30), (7, 7), (3, 7), (0, 7)])
def test_after_an_outage_only_the_nearest_is_sent(
    db: Session, remind: Callable[[int], int], days: int, distance: int
) -> None:
    assert (remind(days), remind(days)) == (1, 0)
    assert sent(db) == [distance]


@given(runs=st.lists(st.integers(-5, 100), max_size=6))
@hypothesis_settings(max_examples=25)
def test_on_whatever_days_it_runs_no_distance_comes_twice_or_late(
    db: Session, remind: Callable[[int], int], runs: list[int]
) -> None:
    for days in sorted(runs, reverse=True):
        assert remind(days) <= 1
    mails = sent(db)
    nearest = [min(distance for distance in DISTANCES if days <= distance) for days in runs if 0 <= days <= 90]
    assert mails == sorted(set(nearest), reverse=True)
    db.execute(delete(CertificateReminder))


def test_after_the_last_valid_day_nobody_is_reminded(remind: Callable[[int], int]) -> None:
    assert remind(-1) == 0


def test_the_revoked_are_not_reminded(db: Session, held: Certificate, remind: Callable[[int], int]) -> None:
    revocation.revoke(db, held, "mistake")
    assert remind(30) == 0


def test_the_renewed_are_not_reminded(
    db: Session, make: Make, branch: Branch, held: Certificate, remind: Callable[[int], int]
) -> None:
    enrolment = owe(make, closed_offering(make, make.new_course(refresher=True, certificate_type=1)))
    enrolment.trainee_id = held.enrolment.trainee_id
    db.flush()
    with clock.at(clock.now() + timedelta(days=400)):
        issuing.issue_owed(db, branch)
    assert held.valid_until is not None
    db.expire_all()
    assert remind(30) == 0


def test_who_took_the_course_again_is_not_reminded_of_the_first(
    make: Make, branch: Branch, course: Course, held: Certificate, remind: Callable[[int], int]
) -> None:
    enrolment = owe(make, closed_offering(make, course))
    enrolment.trainee_id = held.enrolment.trainee_id
    with clock.at(clock.now() + timedelta(days=400)):
        issuing.issue_owed(make.db, branch)
    assert remind(30) == 0


def test_nobody_without_an_address_is_reminded(db: Session, held: Certificate, remind: Callable[[int], int]) -> None:
    held.enrolment.email = None
    db.flush()
    assert remind(30) == 0
    assert sent(db) == []


def test_an_accounts_address_will_do(db: Session, make: Make, held: Certificate, remind: Callable[[int], int]) -> None:
    held.enrolment.email = None
    held.enrolment.trainee.user_id = make.user(email="account@example.org").id
    db.flush()
    assert remind(30) == 1


def test_a_short_validity_does_not_warn_on_the_first_day(db: Session, make: Make, branch: Branch) -> None:
    enrolment = owe(make, closed_offering(make, make.new_course(validity_months=2)))
    enrolment.email = "short@example.org"
    issuing.issue_owed(db, branch)
    assert reminders.due(db, DISTANCES, today=clock.today(branch.zone)) == []


def test_the_mail_names_refreshers_near_the_holder(  # noqa: PLR0917  # fixtures, each by name
    db: Session, make: Make, settings: Settings, held: Certificate, remind: Callable[[int], int], tmp_path: Path
) -> None:
    assert held.valid_until is not None
    soon = datetime.combine(held.valid_until, time(9), tzinfo=settings.zone)
    refresher = make.new_course(refresher=True, certificate_type=1)
    far = make.offering(course=refresher, organisation=make.organisation(2), starts=[soon], place="西城教室")
    near = make.offering(
        course=refresher, organisation=make.organisation(1), starts=[soon + timedelta(days=1)], place="东城教室"
    )
    full = make.offering(course=refresher, starts=[soon], capacity=1)
    make.enrolment(full)
    others = [
        full,
        make.offering(course=refresher, starts=[soon], by_invitation=True),
        make.offering(course=make.new_course(refresher=True, certificate_type=9), starts=[soon]),
        make.offering(course=make.new_course(certificate_type=1), starts=[soon]),
        make.offering(course=refresher, starts=[soon - timedelta(days=100)]),
    ]
    assert remind(20) == 1
    (owed,) = messages(db)
    with clock.at(owed.created_at):
        deliver_all(db, settings, instance_dir=tmp_path)
    message = email.message_from_bytes(next((tmp_path / "mail").iterdir()).read_bytes(), policy=policy.default)
    text = message.get_content()
    assert message["To"] == "zhang@example.org"
    assert "救护员" in message["Subject"]
    assert "First responder" in message["Subject"]
    assert held.number in text
    assert held.valid_until.isoformat() in text
    assert text.index(f"/training/{near.id}\n") < text.index(f"/training/{far.id}\n")
    assert "Dongcheng" in text
    assert "东城区" in text
    for other in others:
        assert f"/training/{other.id}\n" not in text


def test_a_killed_batch_reminds_nobody_twice(fresh_database: str, settings: Settings) -> None:
    """Two workers on one database, the first dies before its commit: one mail, one row."""
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine)
    zone = settings.zone
    with sessions() as db:
        branch = Branch.of(settings)
        qr_keys.ensure(db, branch.keys_dir, not_before=date(2020, 1, 1), not_after=date(2099, 1, 1), replace_lost=True)
        make = Make(db)
        enrolment = owe(make, closed_offering(make))
        enrolment.email = "a@example.org"
        issuing.issue_owed(db, branch, tell=False)
        db.commit()
        last = db.scalars(select(Certificate.valid_until)).one()
    assert last is not None
    with clock.at(datetime.combine(last, time(12), tzinfo=zone)):
        with sessions() as first, sessions() as second:
            assert reminders.remind(first, DISTANCES, zone=zone) == 1
            assert reminders.remind(second, DISTANCES, zone=zone) == 0
            first.rollback()
            assert reminders.remind(second, DISTANCES, zone=zone) == 1
            second.commit()
            assert reminders.remind(first, DISTANCES, zone=zone) == 0
        with sessions() as db:
            assert len(db.scalars(select(Message)).all()) == len(db.scalars(select(CertificateReminder)).all()) == 1
    engine.dispose()


def test_the_task_reminds(app: Flask, db: Session, held: Certificate) -> None:
    assert held.valid_until is not None
    noon = datetime.combine(held.valid_until, time(12), tzinfo=app.config["SETTINGS"].zone)
    with app.app_context(), clock.at(noon - timedelta(days=90)):
        remind_task()
        remind_task()
    assert sent(db) == [90]


def test_the_command_tells_before_it_reminds(app: Flask, db: Session, held: Certificate) -> None:
    assert held.valid_until is not None
    noon = datetime.combine(held.valid_until, time(12), tzinfo=app.config["SETTINGS"].zone)
    runner = app.test_cli_runner()
    with clock.at(noon - timedelta(days=20)):
        dry = runner.invoke(args=["certificates", "remind", "--dry-run"])
        assert f"{held.number}: 20 days left, reminder of 30 days to z***@example.org" in dry.output
        assert sent(db) == []
        assert runner.invoke(args=["certificates", "remind"]).output == "1 reminders are on their way.\n"
        assert runner.invoke(args=["certificates", "remind"]).output == "0 reminders are on their way.\n"
    assert sent(db) == [30]


@pytest.mark.parametrize(("text", "days"), [("90,30,7", (90, 30, 7)), ("7, 60", (60, 7)), ("", ())])
def test_the_distances_are_a_setting(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, text: str, days: tuple[int, ...]
) -> None:
    assert Settings(**settings.model_dump(exclude={"reminder_days"}), reminder_days=text).reminder_days == days


@pytest.mark.parametrize("text", ["0", "a", "90,-7", "100000"])
def test_a_wrong_distance_is_named_at_start(monkeypatch: pytest.MonkeyPatch, settings: Settings, text: str) -> None:
    for name, value in settings.model_dump(
        include={"database_url", "secret_key", "field_key", "public_url", "keys_dir"}
    ).items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setenv("LMS_EMBEDDED", "1")
    monkeypatch.setenv("REMINDER_DAYS", text)
    with pytest.raises(SettingsError, match="REMINDER_DAYS must be whole days"):
        load_settings()
