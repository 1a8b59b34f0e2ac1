"""The task that sends pending mails."""

from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import mail, mail_tasks
from lms.core.mail import MailOwed, OutgoingMail


def owe(db: Session) -> None:
    mail.owe(db, recipient="li@example.org", subject="培训班取消", text="您报名的培训班已取消。\n\nIt was cancelled.\n")
    db.flush()


def test_without_a_server_mails_are_files_for_the_owner_alone(db: Session, app: Flask, settings: Settings) -> None:
    owe(db)
    db.commit()
    with app.app_context():
        mail_tasks.send_owed()
        mail_tasks.send_owed()
    (path,) = settings.mail_dir.glob("*.eml")
    assert path.stat().st_mode & 0o777 == 0o600
    written = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert written["To"] == "li@example.org"
    db.expire_all()
    assert db.scalars(select(OutgoingMail)).one().sent_at is not None
    path.unlink()


def test_a_mail_that_is_owed_sends_the_task_to_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("lms.core.tasks.enqueue", lambda task, *_ids: sent.append(task.name))
    mail_tasks.enqueue_sending(MailOwed())
    assert sent == ["lms.core.mail_tasks.send_owed"]
