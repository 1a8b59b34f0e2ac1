"""Sign-ins in the audit trail: what is written, what is masked, and how little a guesser can write."""

from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import passwords, sign_in_log
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make
from tests.lms.accounts.conftest import enter
from tests.lms.accounts.test_notices import PHONE_AGENT

ADDRESS = "203.0.113.5"


def entries(db: Session) -> Sequence[AuditEntry]:
    return db.scalars(
        select(AuditEntry).where(AuditEntry.action.startswith("user.sign_in")).order_by(AuditEntry.id)
    ).all()


def attempt(browser: FlaskClient, identifier: str, password: str = "wrong") -> int:
    return browser.post(
        "/sign-in/",
        data={"identifier": identifier, "password": password},
        environ_base={"REMOTE_ADDR": ADDRESS},
        headers={"User-Agent": PHONE_AGENT},
    ).status_code


def test_a_sign_in_is_written_with_address_browser_and_failures_before(
    client: FlaskClient, db: Session, person: User
) -> None:
    for _ in range(3):
        attempt(client, person.email or "")
    attempt(client, person.email or "", "correct horse battery")
    failed, done = entries(db)
    assert (failed.action, failed.user_id, failed.subject) == ("user.sign_in_failed", None, f"app_user:{person.id}")
    assert failed.after == {"address": ADDRESS, "browser": "Chrome · Android"}
    assert (done.action, done.user_id, done.subject) == ("user.sign_in", person.id, f"app_user:{person.id}")
    assert done.after == {"address": ADDRESS, "browser": "Chrome · Android", "failures": 3}


def test_a_refusal_is_written_once(client: FlaskClient, db: Session, person: User) -> None:
    for _ in range(20):
        attempt(client, person.email or "")
    assert [entry.action for entry in entries(db)] == ["user.sign_in_failed", "user.sign_in_refused"]
    assert (entries(db)[1].after or {})["failures"] == 10


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13912345678", "139****5678"),
        ("li.lei@school.example.org", "l***@***.org"),
        ("my secret password", "***"),
        ("P@ssw0rd", "***"),
        ("P@ss.w0rd", "***"),
    ],
)
def test_what_was_typed_for_nobody_is_masked(client: FlaskClient, db: Session, typed: str, stored: str) -> None:
    attempt(client, typed)
    (entry,) = entries(db)
    assert entry.subject == sign_in_log.UNKNOWN
    assert (entry.after or {})["identifier"] == stored


def test_guessing_from_everywhere_writes_a_bounded_number_of_entries(
    app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_words: False)
    monkeypatch.setattr(sign_in_log, "ENTRIES", sign_in_log.RateLimitItemPerHour(20))
    browser = app.test_client()
    for number in range(40):
        browser.post(
            "/sign-in/",
            data={"identifier": f"user{number}@example.org", "password": "guess"},
            environ_base={"REMOTE_ADDR": f"10.0.{number}.1"},
        )
    assert len(entries(db)) == 20


def test_the_audit_page_names_each_entry(
    client: FlaskClient, sign_in: Callable[[User], FlaskClient], make: Make, person: User
) -> None:
    enter(client, "nobody@example.org", "wrong")
    enter(client, person.email or "")
    page = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/audit/").text
    for label in ("登录失败：密码错误", "登录成功", "网络地址", "n***@***.org"):
        assert label in page
