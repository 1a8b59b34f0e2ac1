"""Reports by mail: once for each person and period, of their own reach, to those who asked and may still read."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from courses.counting import targets
from courses.models.enrolment import EnrolmentState
from courses.models.report_mails import ReportFrequency, ReportMail, ReportSubscription
from courses.reports import mails as report_mails
from courses.reports.mails import MailPeriod
from lms.accounts.models import RoleGrant, User
from lms.config import Settings
from lms.core import clock
from lms.core.errors import Denied
from lms.core.messages.models import Message
from lms.core.scope import EVERYTHING, Role
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World
from tests.factories import Make
from tests.messages import deliver_all, messages

THERE = (Presence(0, 0, None),)
PAIR = (Person(0, EnrolmentState.COMPLETED, THERE), Person(1, EnrolmentState.FAILED, THERE))
FIRST_OF_JULY = datetime(2025, 7, 1, 8, tzinfo=BEIJING)
SignIn = Callable[[User], FlaskClient]


def send_all(app: Flask, db: Session) -> int:
    with app.app_context():
        return _send_all(db)


def _send_all(db: Session) -> int:
    number = 0
    while report_mails.owe_next(db, BEIJING):
        number += 1
    return number


def mails(db: Session, settings: Settings) -> dict[str, tuple[str, str]]:
    """Send what is owed; recipient → subject and text, from the files."""
    owed = messages(db)
    with clock.at(max((row.created_at for row in owed), default=clock.now())):
        deliver_all(db, settings)
    assert messages(db) == []
    found = {}
    for path in Path(settings.mail_dir).glob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found[str(message["To"])] = (str(message["Subject"]), message.get_content())
        path.unlink()
    return found


@pytest.fixture
def training(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2024, 6, 3), (200,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 2, 1), (60,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 6, 1), (300,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 6, 30), (0,), PAIR, False, 2))
    targets.save(db, 2025, {("RESCUE", 1): 1000, ("RESCUE", 2): 500}, {})


def test_the_periods_due_on_a_day() -> None:
    june = MailPeriod(ReportFrequency.MONTH, "2025-06", date(2025, 6, 1), date(2025, 6, 30))
    second = MailPeriod(ReportFrequency.QUARTER, "2025Q2", date(2025, 4, 1), date(2025, 6, 30))
    assert report_mails.periods_due(date(2025, 7, 1)) == (june, second)
    assert report_mails.periods_due(date(2025, 7, 7)) == (june, second)
    assert report_mails.periods_due(date(2025, 7, 8)) == ()
    [july] = report_mails.periods_due(date(2025, 8, 2))
    assert (july.name, july.last) == ("2025-07", date(2025, 7, 31))
    december, fourth = report_mails.periods_due(date(2026, 1, 1))
    assert (december.name, fourth.name) == ("2025-12", "2025Q4")


def test_a_february_is_compared_with_the_whole_february_before() -> None:
    [february] = report_mails.periods_due(date(2025, 3, 1))
    assert february.year_before == (date(2024, 2, 1), date(2024, 2, 29))
    [february] = report_mails.periods_due(date(2024, 3, 1))
    assert february.year_before == (date(2023, 2, 1), date(2023, 2, 28))


@pytest.mark.usefixtures("training")
def test_a_mail_carries_the_figures_of_the_users_scope_in_both_languages(
    app: Flask, db: Session, make: Make, settings: Settings
) -> None:
    city, district = make.user(Role.CITY_ADMINISTRATOR), make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2)
    for user in (city, district):
        report_mails.subscribe(db, user, {ReportFrequency.MONTH})
    with clock.at(FIRST_OF_JULY):
        assert send_all(app, db) == 2
        found = mails(db, settings)
    assert city.email is not None
    subject, text = found[city.email]
    assert subject == "培训统计月报 2025-06 / Monthly training report 2025-06"
    chinese, english = text.split("-" * 32)
    for wanted in (
        "统计范围：全市",
        "人次：300（实名 0 + 现场人数 300）",
        "上年同期：200 (+50.0%)",
        "360，年度目标 1,500，完成 24.0%",
    ):
        assert wanted in chinese
    assert "Covers: the whole branch" in english
    assert "Person-times: 302 (2 named + 300 by headcount)" in english
    assert "Person-hours: 6.0; certificates issued: 0" in english
    assert "One person-time is one person taking part in one offering" in english
    address = "/reports/enrolment?since=2025-06-01&until=2025-06-30&grouping=programme"
    assert f"{settings.public_url}{address}" in text
    assert f"{settings.public_url}/reports/by-mail" in text
    assert district.email is not None
    _subject, text = found[district.email]
    assert "Person-times: 2 (2 named + 0 by headcount)" in text
    assert "Whole branch: 302" in text
    assert "of the target of 500" in text
    assert "300" not in text


@pytest.mark.usefixtures("training")
def test_each_period_goes_once_and_a_worker_that_was_down_still_sends(app: Flask, db: Session, make: Make) -> None:
    report_mails.subscribe(db, make.user(Role.AUDITOR), {ReportFrequency.MONTH, ReportFrequency.QUARTER})
    with clock.at(FIRST_OF_JULY + timedelta(days=4)):
        assert send_all(app, db) == 2
        assert send_all(app, db) == 0
    with clock.at(FIRST_OF_JULY + timedelta(days=5)):
        assert send_all(app, db) == 0
    with clock.at(FIRST_OF_JULY + timedelta(days=31)):
        assert send_all(app, db) == 1
    assert sorted(db.scalars(select(ReportMail.period))) == ["2025-06", "2025-07", "2025Q2"]
    assert db.scalar(select(func.count()).select_from(Message)) == 3


def test_users_without_role_account_or_subscription_get_no_mail(app: Flask, db: Session, make: Make) -> None:
    lost, disabled, stopped = (make.user(Role.CITY_ADMINISTRATOR) for _ in range(3))
    for user in (lost, disabled, stopped):
        report_mails.subscribe(db, user, set(ReportFrequency))
    db.execute(delete(RoleGrant).where(RoleGrant.user_id == lost.id))
    disabled.disabled_at = datetime(2025, 6, 1, tzinfo=UTC)
    report_mails.subscribe(db, stopped, set())
    db.flush()
    with clock.at(FIRST_OF_JULY):
        assert send_all(app, db) == 0


def test_a_user_who_reads_no_reports_cannot_subscribe(db: Session, make: Make) -> None:
    for role in (Role.INSTRUCTOR, Role.TRAINEE):
        with pytest.raises(Denied):
            report_mails.subscribe(db, make.user(role), {ReportFrequency.MONTH})


def test_a_letter_without_figures_has_no_total(db: Session) -> None:
    [june, _quarter] = report_mails.periods_due(date(2025, 7, 1))
    found = report_mails.letter(db, june, EVERYTHING, BEIJING)
    assert (found.programmes, found.total) == ((), None)


def test_two_workers_send_each_mail_once(app: Flask, fresh_database: str) -> None:
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    opened = sessionmaker(engine, expire_on_commit=False)
    with opened.begin() as db:
        make = Make(db)
        for _number in range(6):
            report_mails.subscribe(db, make.user(Role.CITY_ADMINISTRATOR), {ReportFrequency.MONTH})
    sent: list[bool] = []

    def work() -> None:
        more = True
        while more:
            # A thread does not inherit the moment of the one that starts it.
            with clock.at(FIRST_OF_JULY), app.app_context(), opened.begin() as db:
                more = report_mails.owe_next(db, BEIJING)
                sent.append(more)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    work()
    with opened() as db:
        assert db.scalar(select(func.count()).select_from(ReportMail)) == 6
        assert db.scalar(select(func.count()).select_from(Message)) == 6
    engine.dispose()


def test_the_schedule_names_a_task_that_exists(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms.app.create_app", lambda: app)
    celery = import_module("lms.worker").celery
    entry = celery.conf.beat_schedule["mail-reports"]
    assert entry["task"] in celery.tasks


def test_users_subscribe_and_unsubscribe_on_the_page(db: Session, make: Make, sign_in: SignIn) -> None:
    user = make.user(Role.AUDITOR)
    browser = sign_in(user)
    assert browser.get("/reports/by-mail").status_code == 200
    assert browser.post("/reports/by-mail", data={"month": "1"}).status_code == 302
    assert list(db.scalars(select(ReportSubscription.rhythm))) == [ReportFrequency.MONTH]
    assert "checked" in browser.get("/reports/by-mail").get_data(as_text=True)
    browser.post("/reports/by-mail", data={})
    db.expire_all()
    assert list(db.scalars(select(ReportSubscription.rhythm))) == []
    assert sign_in(make.user(Role.INSTRUCTOR)).get("/reports/by-mail").status_code == 403
