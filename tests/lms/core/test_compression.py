"""Responses compressed for browsers that take it, and left as they are for everything else."""

import gzip as standard

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from lms.core import compression
from lms.core.compression import MOST_PADDING, compress, gzip

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


@given(st.binary(max_size=3000), st.integers(1, 9), st.integers(0, MOST_PADDING))
def test_what_is_compressed_comes_back(content: bytes, level: int, padding: int) -> None:
    assert standard.decompress(gzip(content, level, padding)) == content


def test_a_page_is_compressed_by_a_length_that_tells_little(client: FlaskClient) -> None:
    plain = client.get("/sign-in/")
    packed = [client.get("/sign-in/", headers=TAKES) for _ in range(8)]
    assert "Content-Encoding" not in plain.headers
    for answer in packed:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert b"</html>" in standard.decompress(answer.data)
        assert len(answer.data) * 2 < len(plain.data)
    paddings = {answer.data.index(b"\0", 10) for answer in packed}
    assert len(paddings) > 1


def test_a_static_file_is_the_same_each_time_and_fresh_ones_stay_unsent(client: FlaskClient) -> None:
    def get(**headers: str) -> TestResponse:
        return client.get("/static/style.css", headers=headers, buffered=True)

    plain, first, second = get(), get(**TAKES), get(**TAKES)
    assert standard.decompress(first.data) == plain.data
    assert first.data == second.data
    assert first.headers["Cache-Control"] == plain.headers["Cache-Control"]
    again = get(**TAKES, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    part = get(**TAKES, Range="bytes=0-9")
    assert (part.status_code, part.data) == (206, plain.data[:10])


@pytest.mark.parametrize(
    ("content", "mimetype", "method", "status"),
    [
        (b"a" * 9000, "application/pdf", "GET", 200),
        (b"a" * (compression.LEAST_BYTES - 1), "text/html", "GET", 200),
        (b"a" * 9000, "text/html", "POST", 200),
        (b"a" * 9000, "text/html", "GET", 404),
        (b"a" * (compression.MOST_BYTES + 1), "text/html", "GET", 200),
        (iter([b"a" * 9000]), "text/html", "GET", 200),
    ],
)
def test_what_is_not_worth_it_is_left_alone(
    app: Flask, content: object, mimetype: str, method: str, status: int
) -> None:
    with app.test_request_context(method=method, headers=TAKES):
        response = app.response_class(content, mimetype=mimetype, status=status)  # type: ignore[arg-type]
        compress(response, is_static=False)
        assert "Content-Encoding" not in response.headers
