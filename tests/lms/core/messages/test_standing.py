"""Figures about the queue: by channel, the oldest, what was not delivered, as JSON and for Prometheus."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import clock
from lms.core.messages import standing
from lms.core.messages.models import Channel
from tests.lms.core.messages.conftest import SECRET, Owe
from tests.lms.core.messages.mail_server import free_port
from tests.messages import deliver_all


def test_the_queue_is_counted(db: Session, owe: Owe, settings: Settings) -> None:
    for addresses in (("a@example.org",), ("b@example.org",), ("+8613800138000",), ()):
        owe(*addresses)
    owe(purpose=SECRET)
    with clock.at(clock.now() + timedelta(seconds=90)):
        read = standing.read(db)
    assert {channel: each.waiting for channel, each in read.channels.items()} == {Channel.EMAIL: 2, Channel.SMS: 1}
    assert 90 <= read.channels[Channel.EMAIL].oldest_seconds < 120
    assert (read.aside, read.to_call) == (1, 1)


def test_a_channel_that_is_down_says_why_and_since_when(db: Session, owe: Owe, settings: Settings) -> None:
    owe("a@example.org")
    deliver_all(db, settings, mail_url=f"smtp://127.0.0.1:{free_port()}")
    with clock.at(clock.now() + timedelta(seconds=10)):
        email = standing.read(db).channels[Channel.EMAIL]
    assert (email.paused, email.waiting) == ("unreachable", 1)
    assert 10 <= email.down_seconds < 40


def test_an_empty_queue_is_all_zeros(db: Session) -> None:
    assert standing.as_json(standing.read(db))["channels"] == {
        name: {"waiting": 0, "oldest_seconds": 0, "paused": None, "down_seconds": 0} for name in ("sms", "email")
    }


def test_readiness_and_metrics_tell_the_figures(owe: Owe, client: FlaskClient) -> None:
    owe("a@example.org")
    assert client.get("/readyz").json["messages"]["channels"]["email"]["waiting"] == 1  # type: ignore[index]
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert 'lms_messages_waiting{channel="email"} 1\n' in answer.text
    assert "\nlms_messages_to_call 0\n" in answer.text


def test_metrics_are_for_this_machine_or_the_bearer_of_the_token(app: Flask, client: FlaskClient) -> None:
    def status(address: str = "127.0.0.1", **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=named).status_code

    assert (status(), status("::1"), status("203.0.113.9")) == (200, 200, 404)
    assert status(X_Forwarded_For="203.0.113.9") == 404
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = before.model_copy(update={"metrics_token": "0123456789abcdef"})
    try:
        assert (status(), status("203.0.113.9", Authorization="Bearer 0123456789abcdef")) == (404, 200)
        assert status(Authorization="Bearer wrong") == 404
    finally:
        app.config["SETTINGS"] = before
