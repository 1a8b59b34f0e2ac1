"""Errors as pages and as problem documents."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError, ProgrammingError

from lms.accounts import current
from lms.app import create_app
from lms.config import Settings
from lms.core import error_pages, tasks
from lms.core.errors import DomainError


def test_unknown_address_is_a_page_that_leads_on(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "首页" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_unknown_address_is_a_problem_document_for_a_program(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == "http_404"


@pytest.mark.parametrize(
    ("path", "accept", "json"),
    [
        ("/users/", "text/html", False),
        ("/users/", "*/*", False),
        ("/users/", "application/json", True),
        ("/api/v1/check-ins", "text/html", True),
        ("/status/valid/1", "", True),
    ],
)
def test_a_program_is_told_by_the_path_and_by_what_it_accepts(app: Flask, path: str, accept: str, json: bool) -> None:
    with app.test_request_context(path, headers={"Accept": accept}):
        assert error_pages.wants_json() is json


def test_a_moment_in_a_message_is_in_the_branch_s_time_zone(app: Flask) -> None:
    error = DomainError("early", "Opens at %(time)s.", time=datetime(2025, 6, 1, 0, 30, tzinfo=UTC))
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert error_pages.message_of(error) == "Opens at 2025-06-01 08:30."


def test_a_form_without_cookies_is_told_so_and_not_that_it_was_open_too_long(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = client.post("/sign-in/", data={"identifier": "x"}, headers={"Accept-Language": "en"})
        assert (answer.status_code, "did not send the cookie" in answer.text) == (400, True)
        assert client.get("/sign-in/").status_code == 200  # the form sets the cookie
        answer = client.post("/sign-in/", data={"csrf_token": "old"}, headers={"Accept-Language": "en"})
        assert (answer.status_code, "open too long" in answer.text) == (400, True)
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize(
    ("status", "header", "value"), [(401, "WWW-Authenticate", "Bearer"), (429, "Retry-After", "60")]
)
def test_a_program_is_told_how_to_go_on(app: Flask, status: int, header: str, value: str) -> None:
    with app.test_request_context("/api/v1/x"):
        response = app.make_response(error_pages.refuse(status, "code", "message"))
    assert (response.status_code, response.headers[header]) == (status, value)


@pytest.fixture
def without_database(settings: Settings) -> Iterator[Flask]:
    """The application, whose database answers nobody: its port is closed."""
    away = settings.model_copy(update={"database_url": "postgresql+psycopg://lms@127.0.0.1:9/lms"})
    yield create_app(away)
    tasks.configure(create_app(settings), settings)


@pytest.mark.parametrize(("language", "words"), [("zh", "系统暂时无法使用"), ("en", "not available at the moment")])
@pytest.mark.parametrize("path", ["/", "/training/", "/my-training/", "/tickets/abc", "/nowhere"])
def test_while_the_database_is_away_the_page_says_so(
    without_database: Flask, path: str, language: str, words: str
) -> None:
    browser = without_database.test_client()
    with browser.session_transaction() as cookie:
        cookie[current.TOKEN] = "of-a-signed-in-user"
    answer = browser.get(f"{path}?lang={language}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert words in answer.text


def test_while_the_database_is_away_a_program_gets_a_problem_document(without_database: Flask) -> None:
    answer = without_database.test_client().get("/api/v1/sessions", headers={"Authorization": f"Bearer {'x' * 43}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.get_json()["code"] == "http_503"


def test_a_wrong_statement_is_no_absent_database() -> None:
    assert not error_pages.is_away(ProgrammingError("SELECT", {}, psycopg.errors.UndefinedTable("no such table")))
    assert error_pages.is_away(OperationalError("SELECT", {}, psycopg.OperationalError("connection refused")))
    assert error_pages.is_away(OperationalError("SELECT", {}, psycopg.errors.AdminShutdown("shutting down")))
