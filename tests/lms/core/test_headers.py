"""Default headers of responses."""

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from lms.config import Settings
from lms.core import headers


@pytest.mark.parametrize("path", ["/sign-in/", "/nowhere", "/api/v1/nowhere"])
def test_every_response_has_them(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    for name, value in headers.HEADERS:
        assert answer.headers.getlist(name) == [value]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_static_file_may_be_cached(client: FlaskClient) -> None:
    answer = client.get("/static/code_display.css")
    assert answer.headers["Content-Security-Policy"] == headers.CONTENT_SECURITY_POLICY
    assert "no-store" not in answer.headers["Cache-Control"]
    answer.close()


def test_what_a_view_set_stays(app: Flask) -> None:
    with app.test_request_context():
        response = Response(headers={"referrer-policy": "no-referrer"})
        headers.set_defaults(response)
        assert response.headers.getlist("Referrer-Policy") == ["no-referrer"]


def test_a_view_lets_nothing_be_kept_unless_it_is_listed(app: Flask) -> None:
    with app.test_request_context("/users/"):
        response = Response(headers={"cache-control": "public, max-age=60"})
        headers.set_defaults(response)
        assert response.headers.getlist("Cache-Control") == ["no-store"]
    with app.test_request_context("/badges/issuer"):
        response = Response(headers={"cache-control": "public, max-age=60"})
        headers.set_defaults(response)
        assert response.headers.getlist("Cache-Control") == ["public, max-age=60"]


@pytest.mark.parametrize(
    ("public_url", "subdomains", "value"),
    [
        ("http://127.0.0.1:8000", True, None),
        ("https://training.example.org", False, "max-age=31536000"),
        ("https://training.example.org", True, "max-age=31536000; includeSubDomains"),
    ],
)
def test_browsers_are_bound_to_https_where_it_is_the_address(
    app: Flask, settings: Settings, public_url: str, subdomains: bool, value: str | None
) -> None:
    app.config["SETTINGS"] = settings.model_copy(update={"public_url": public_url, "hsts_subdomains": subdomains})
    try:
        assert app.test_client().get("/sign-in/").headers.get("Strict-Transport-Security") == value
    finally:
        app.config["SETTINGS"] = settings
