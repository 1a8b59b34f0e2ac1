"""The command `flask messages`."""

import json

from flask import Flask
from sqlalchemy.orm import Session

from lms.core.messages.models import MessageState
from tests.lms.core.messages.conftest import SECRET, Owe


def test_status_and_retry(db: Session, app: Flask, owe: Owe) -> None:
    message = owe("li@example.org", purpose=SECRET)
    message.state, message.settled_at, message.reason = MessageState.ASIDE, message.created_at, "no_template"
    db.commit()
    run = app.test_cli_runner().invoke
    assert json.loads(run(args=["messages", "status"]).output)["aside"] == 1
    assert run(args=["messages", "retry", "--reason", "limit"]).output == "0 messages wait again.\n"
    assert run(args=["messages", "retry", "--reason", "no_template"]).output == "1 messages wait again.\n"
    assert "\nticket: course, ticket\n" in run(args=["messages", "purposes"]).output
    db.expire_all()
    assert message.state is MessageState.WAITING
