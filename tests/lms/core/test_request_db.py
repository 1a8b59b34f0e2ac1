"""Database access of a request."""

from collections.abc import Callable

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text

from lms.accounts.models import User
from lms.core import audit, request_db
from lms.core.access import signed_in
from lms.core.request_db import autocommit_reads, db, report_db, report_freshness
from lms.core.scope import Role
from tests.factories import Make


def test_a_request_has_one_session_and_one_connection_for_single_reads(app: Flask) -> None:
    with app.test_request_context():
        assert db() is db()
        assert autocommit_reads().connection() is autocommit_reads().connection()
        assert autocommit_reads().execute(text("SELECT 1")).scalar_one() == 1
        assert "db" in g


def test_without_a_replica_reports_are_read_from_the_primary(app: Flask) -> None:
    with app.test_request_context():
        assert report_db() is db()
        assert report_freshness() is None
        assert not request_db.fell_back_to_primary(OSError())


def test_a_visitor_s_work_is_nobody_s_and_a_user_s_is_theirs(
    app: Flask, make: Make, sign_in: Callable[[User], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.test_request_context():
        assert audit.actor(db()) is None
    user = make.user(Role.CITY_ADMINISTRATOR)
    browser = sign_in(user)
    seen: list[int | None] = []

    @signed_in
    def view() -> str:
        seen.append(audit.actor(db()))
        return ""

    monkeypatch.setitem(app.view_functions, "home.page", view)
    browser.get("/")
    assert seen == [user.id]


def test_what_was_rolled_back_is_gone_and_the_session_goes_on(app: Flask) -> None:
    with app.test_request_context():
        db().execute(text("CREATE TEMPORARY TABLE gone (number int)"))
        request_db.roll_back()
        assert db().scalar(text("SELECT to_regclass('gone') IS NULL"))
