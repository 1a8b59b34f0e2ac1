"""Requests by a device's token: who asks, in whose name, and how often."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import devices
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def address(app: Flask) -> str:
    """The address at which a device reads its sessions."""
    return next(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "check_ins.sessions")


def test_a_token_that_is_not_a_devices_is_refused(address: str, client: FlaskClient, make: Make, db: Session) -> None:
    device, token = devices.pair(db, make.user(Role.INSTRUCTOR), "手机")
    db.commit()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(address, headers=headers).status_code == 200
    for wrong in (f"Basic {token}", token, "Bearer ", f"Bearer {token[:-1]}", ""):
        answer = client.get(address, headers={"Authorization": wrong})
        assert answer.status_code == 401
        assert answer.json is not None
        assert answer.json["code"] == "device_unknown"
    devices.revoke(db, device)
    db.commit()
    assert client.get(address, headers=headers).status_code == 401


def test_a_signed_in_browser_without_a_token_is_no_device(address: str, make: Make, sign_in: SignIn) -> None:
    browser = sign_in(make.user(Role.INSTRUCTOR))
    assert browser.get(address).status_code == 401


def test_a_device_that_asks_too_often_waits(address: str, client: FlaskClient, make: Make, db: Session) -> None:
    _device, token = devices.pair(db, make.user(Role.INSTRUCTOR), "手机")
    _other, other = devices.pair(db, make.user(Role.INSTRUCTOR), "手机")
    db.commit()
    statuses = []
    while 429 not in statuses and len(statuses) < 1000:
        statuses.append(client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code)
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {200}
    assert client.get(address, headers={"Authorization": f"Bearer {other}"}).status_code == 200
