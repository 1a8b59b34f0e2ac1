"""A report sent at once: to whom it may go, and that it goes once."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.reports import mail_now
from courses.reports.mail_now import ReportMail
from lms.core.access import scope_of
from lms.core.errors import DomainError
from lms.core.messages.channels.interface import Attachment
from lms.core.messages.models import Message
from lms.core.messages.owing import Content
from lms.core.scope import Role
from tests.factories import Make

MAIL = ReportMail("月报", "文本", "<p>文本</p>", (Attachment("a.pdf", "application/pdf", b"%PDF"),))


def test_a_report_goes_to_oneself_and_to_users_within_reach_and_once(db: Session, make: Make) -> None:
    sender = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1)
    near = make.user(Role.COORDINATOR, district_id=1)
    make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2)
    make.user(Role.CITY_ADMINISTRATOR)
    db.flush()
    listed = mail_now.recipients(db, sender, scope_of(sender.id, sender.grants))
    assert listed[0] == sender
    assert {user.id for user in listed} <= {sender.id, near.id}
    with pytest.raises(DomainError, match="recipients"):
        mail_now.send(db, [], {"zh": MAIL}, report="enrolment", arguments={})
    for _again in range(2):
        assert mail_now.send(db, [sender], {"zh": MAIL, "en": MAIL}, report="enrolment", arguments={}) == 1
    [message] = db.scalars(select(Message).where(Message.purpose == "report_now"))
    content = Content.of(message)
    assert (content.html, content.attachments) == (MAIL.html, MAIL.attachments)
