"""`/.well-known/security.txt`: the fields that RFC 9116 demands, and nothing where nobody is named."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask

from lms.config import Settings
from lms.core import clock

PATH = "/.well-known/security.txt"


@pytest.fixture
def named(app: Flask, settings: Settings) -> Iterator[Flask]:
    app.config["SETTINGS"] = settings.model_copy(
        update={
            "public_url": "https://training.example.org",
            "security_contact": ("mailto:security@example.org", "https://example.org/report"),
            "security_policy_url": "https://example.org/policy",
        }
    )
    yield app
    app.config["SETTINGS"] = settings


def fields(app: Flask) -> list[tuple[str, str]]:
    answer = app.test_client().get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    return [(name, value) for name, _, value in (line.partition(": ") for line in answer.text.splitlines())]


def test_the_fields_in_order(named: Flask) -> None:
    values = fields(named)
    assert [value for name, value in values if name == "Contact"] == [
        "mailto:security@example.org",
        "https://example.org/report",
    ]
    rest = dict(values[2:])
    assert rest.pop("Expires").endswith("T00:00:00Z")
    assert rest == {
        "Preferred-Languages": "zh, en",
        "Canonical": f"https://training.example.org{PATH}",
        "Policy": "https://example.org/policy",
    }


@pytest.mark.parametrize("days", [0, 1, 400, 4000])
def test_it_has_never_expired(named: Flask, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    moment = clock.now() + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: moment)
    expires = datetime.fromisoformat(dict(fields(named))["Expires"])
    assert moment + timedelta(days=170) < expires < moment + timedelta(days=365)


def test_without_the_setting_there_is_none(app: Flask) -> None:
    assert app.test_client().get(PATH).status_code == 404
