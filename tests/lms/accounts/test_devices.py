"""Devices: a token that outlives the sign-in and ends when its owner, or the owner's role, does."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, devices, users
from lms.accounts.models import Device
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import NotFound
from lms.core.scope import Role
from tests.factories import Make


def test_the_table_holds_no_token(make: Make, db: Session) -> None:
    device, token = devices.pair(db, make.user(Role.INSTRUCTOR), " Chrome \u00b7  Android ")
    assert len(token) == devices.TOKEN_LENGTH
    assert device.name == "Chrome \u00b7 Android"
    assert token.encode() not in device.token_hash
    assert db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"device:{device.id}")).all() == [
        "device.pair"
    ]


def test_a_token_finds_its_device_whether_or_not_its_user_is_signed_in(make: Make, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    browser_sessions.start(db, user, days=1, browser="")
    device, token = devices.pair(db, user, "")
    browser_sessions.end_all(db, user.id)
    found = devices.of_token(db, token)
    assert found is not None
    assert (found.device_id, found.user_id) == (device.id, user.id)
    assert [grant.role for grant in found.grants] == [Role.INSTRUCTOR]


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "学" * 43, "x" * 100_000])
def test_another_text_finds_none(make: Make, db: Session, token: str) -> None:
    devices.pair(db, make.user(Role.INSTRUCTOR), "")
    assert devices.of_token(db, token) is None


def test_a_revoked_one_is_gone(make: Make, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    device, token = devices.pair(db, user, "")
    kept, kept_token = devices.pair(db, user, "")
    devices.revoke(db, device)
    devices.revoke(db, device)
    assert devices.of_token(db, token) is None
    assert devices.of_token(db, kept_token) is not None
    assert list(devices.of_user(db, user.id)) == [kept]
    assert len(db.scalars(select(AuditEntry).where(AuditEntry.action == "device.revoke")).all()) == 1


def test_a_disabled_users_devices_do_not_work_and_work_again_when_enabled(make: Make, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    _, token = devices.pair(db, user, "")
    users.disable(db, user, "离职")
    assert devices.of_token(db, token) is None
    users.enable(db, user)
    assert devices.of_token(db, token) is not None


def test_whoever_takes_no_attendance_any_more_has_no_device(make: Make, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR, Role.TRAINEE)
    _, token = devices.pair(db, user, "")
    user.grants = [grant for grant in user.grants if grant.role is Role.TRAINEE]
    db.flush()
    assert devices.of_token(db, token) is None


def test_roles_that_take_no_attendance_widen_nothing(make: Make, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR, Role.AUDITOR)
    _, token = devices.pair(db, user, "")
    found = devices.of_token(db, token)
    assert found is not None
    assert [grant.role for grant in found.grants] == [Role.INSTRUCTOR]


def test_when_it_was_seen_is_written_at_most_every_five_minutes(make: Make, db: Session, statements: list[str]) -> None:
    device, token = devices.pair(db, make.user(Role.INSTRUCTOR), "")
    paired = device.seen_at
    db.flush()

    def seen(later: timedelta) -> int:
        """How many statements it takes to find the device that much later and to note it."""
        statements.clear()
        with clock.at(paired + later):
            found = devices.of_token(db, token)
            assert found is not None
            devices.note_seen(db, found)
        return len(statements)

    assert seen(timedelta(minutes=4)) == 1
    assert seen(timedelta(minutes=6)) == 2
    assert seen(timedelta(minutes=7)) == 1
    assert db.scalars(select(Device.seen_at)).one() == paired + timedelta(minutes=6)


def test_somebody_elses_is_not_found(make: Make, db: Session) -> None:
    device, _ = devices.pair(db, make.user(Role.INSTRUCTOR), "")
    with pytest.raises(NotFound):
        devices.one(db, make.user(Role.CITY_ADMINISTRATOR).id, device.id)
