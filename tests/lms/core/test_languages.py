"""Effects of the reader's language besides texts."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from lms.core.languages import file_size, preferred_language


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0.1 kB"), (130, "0.1 kB"), (12_340, "12.3 kB"), (999_999, "1,000 kB"), (171_500_000, "171.5 MB")],
)
def test_a_size_is_said_without_a_word_of_english(app: Flask, count: int, said: str) -> None:
    with app.test_request_context():
        for language in ("zh", "en"):
            with force_locale(language):
                assert file_size(count) == said


@pytest.mark.parametrize(
    "query", ["endpoint=x", "_scheme=javascript&_external=1", "_anchor=x", "filename=x", "values=1"]
)
def test_what_somebody_writes_into_an_address_stays_an_argument(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/sign-in/?{query}&lang=zh")
    assert answer.status_code == 200
    [other] = re.findall(r'href="([^"]*lang=en[^"]*)"', answer.text)
    assert unescape(other) == f"/sign-in/?{query}&lang=en"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        *((header, "zh") for header in (None, "", "*", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hant-HK;q=0.3, ja", "en;q=x")),
        *(
            (header, "en")
            for header in ("fr", "fr, *;q=0.5", "ja-JP,ja;q=0.9", "en-US,en", "de,en;q=0.1", "zh;q=0", ";,;")
        ),
    ],
)
def test_a_browser_that_asks_for_neither_language_gets_english(header: str | None, chosen: str) -> None:
    assert preferred_language(header or "") == chosen
