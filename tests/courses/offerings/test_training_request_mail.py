"""Messages about requested trainings: who gets them, and who is called."""

import json

from sqlalchemy.orm import Session

from courses.models.training_requests import ContactPerson, RequestState
from courses.offerings import training_request_mail
from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.models import Channel, MessageState
from tests.factories import Make
from tests.messages import mails, messages


def test_tells_in_both_languages_once_and_names_the_reason(db: Session, make: Make) -> None:
    request = make.training_request(state=RequestState.DECLINED, decided_at=clock.now(), answer="五月没有师资")
    for _ in range(2):
        training_request_mail.send_receipt(db, request)
        training_request_mail.send_decline(db, request)
    receipt, decline = (json.loads(mail) for mail in mails(db))
    assert "东城区红十字会已收到" in receipt["text"]
    assert (
        "景山学校" not in receipt["text"] + receipt["subject"]
    )  # typed by whoever gave this contact, perhaps another's
    assert "五月没有师资" in decline["text"]
    assert "{site}/training/" in decline["text"]


def test_whom_no_channel_reaches_is_called_about_the_decision_and_not_about_the_receipt(
    db: Session, make: Make
) -> None:
    request = make.training_request()
    request.content = ContactPerson("周老师", "+8613811112222").sealed(request.ref)
    owing.configure(lambda channel, _purpose: channel is Channel.EMAIL)
    try:
        training_request_mail.send_receipt(db, request)
        training_request_mail.send_acceptance(db, request)
    finally:
        owing.configure(None)
    [message] = messages(db, MessageState.TO_CALL)
    assert (message.purpose, message.district_id) == ("training_request_accepted", 1)
    assert owing.Content.of(message).phone == "+8613811112222"
    assert len(messages(db, MessageState.ASIDE)) == 1
