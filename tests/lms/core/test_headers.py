"""Default headers of responses."""

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from lms.core import headers


@pytest.mark.parametrize("path", ["/sign-in/", "/nowhere", "/api/v1/nowhere"])
def test_every_response_has_them(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    for name, value in headers.STATIC_HEADERS:
        assert answer.headers.getlist(name) == [value]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_static_file_may_be_cached(client: FlaskClient) -> None:
    answer = client.get("/static/code_display.css")
    assert answer.headers["Content-Security-Policy"] == headers.CONTENT_SECURITY_POLICY
    assert "no-store" not in answer.headers["Cache-Control"]
    answer.close()


def test_what_a_view_set_stays(app: Flask) -> None:
    with app.test_request_context():
        response = Response(headers={"cache-control": "max-age=60"})
        headers.set_defaults(response)
        assert response.headers.getlist("Cache-Control") == ["max-age=60"]
