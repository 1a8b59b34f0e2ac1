"""Tests of the alarm about a code with our signature that is not in our records: who hears of it, and how often."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.keys import key_files
from certificates.payload import Payload, encode, name_tag
from certificates.verification import alarms
from lms.core import clock
from lms.core.messages.models import Message
from lms.core.messages.owing import Content
from lms.core.scope import Role
from tests.factories import Make


def code(branch: Branch, serial: int) -> str:
    unrecorded = Payload(1, 2, 0, serial, date(2026, 3, 5), None, name_tag("张三", serial))
    return encode(unrecorded, key_files.load(branch.keys_dir, "qr-1").sign)


def messages(db: Session) -> list[Message]:
    return list(db.scalars(select(Message).where(Message.purpose == alarms.ALARM.code)))


def test_each_city_administrator_is_told_once_a_day_and_key(db: Session, make: Make, branch: Branch) -> None:
    told = [make.user(Role.CITY_ADMINISTRATOR), make.user(Role.CITY_ADMINISTRATOR)]
    make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1)
    db.flush()
    for serial in (4_000_000, 4_000_001, 4_000_000):
        alarms.raise_alarm(db, code(branch, serial))
    assert db.scalar(alarms.counting(clock.now() - timedelta(days=30))) == 2
    assert {message.person for message in messages(db)} == {f"user:{user.id}" for user in told}
    assert "qr-1" in Content.of(messages(db)[0]).text
    with clock.at(clock.now() + timedelta(days=1)):
        alarms.raise_alarm(db, code(branch, 4_000_002))
    assert len(messages(db)) == 4
    with clock.at(clock.now() + timedelta(days=40)):
        assert db.scalar(alarms.counting(clock.now() - timedelta(days=30))) == 0
