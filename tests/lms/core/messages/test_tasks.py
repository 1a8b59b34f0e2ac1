"""The tasks: sending what is owed, again where there was more than one batch, and the reaction to what was committed."""

from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import clock, retention_rules
from lms.core.messages import tasks
from lms.core.messages.models import MessageState
from lms.core.messages.owing import MessageOwed
from tests.lms.core.messages.conftest import Owe


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that are sent to the queue."""
    names: list[str] = []
    monkeypatch.setattr("lms.core.tasks.enqueue", lambda task, *_ids: names.append(task.name))
    return names


def test_without_a_server_mails_are_files_for_the_owner_alone(
    db: Session, app: Flask, settings: Settings, owe: Owe
) -> None:
    for path in settings.mail_dir.glob("*.eml"):
        path.unlink()
    message = owe("li@example.org")
    with app.app_context():
        tasks.send()
        tasks.send()
    (path,) = settings.mail_dir.glob("*.eml")
    assert path.stat().st_mode & 0o777 == 0o600
    written = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert written["To"] == "li@example.org"
    db.expire_all()
    assert message.state is MessageState.SENT
    path.unlink()


def test_a_full_batch_calls_for_another(
    app: Flask, settings: Settings, owe: Owe, enqueued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "BATCH", 2)
    for number in range(3):
        owe(f"p{number}@example.org")
    with app.app_context():
        tasks.send()
        assert enqueued == ["lms.core.messages.tasks.send"]
        tasks.send()
    assert enqueued == ["lms.core.messages.tasks.send"]
    for path in settings.mail_dir.glob("*.eml"):
        path.unlink()


def test_old_content_is_erased(db: Session, app: Flask, owe: Owe) -> None:
    message = owe()
    period = retention_rules.period(db, "message")
    assert period is not None
    with clock.at(clock.now() + period), app.app_context():
        tasks.erase()
    db.expire_all()
    assert message.content is None


def test_a_message_that_is_owed_sends_the_task_to_the_queue(enqueued: list[str]) -> None:
    tasks.enqueue_sending(MessageOwed())
    assert enqueued == ["lms.core.messages.tasks.send"]
