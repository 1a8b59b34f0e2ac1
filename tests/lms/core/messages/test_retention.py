"""Retention: no content stays longer than 30 days, and nobody stays on the list for ever."""

from datetime import timedelta

from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.messages import retention
from lms.core.messages.models import MessageState
from tests.lms.core.messages.conftest import SECRET, Owe


def test_content_is_erased_after_thirty_days(db: Session, owe: Owe) -> None:
    to_call, aside, waiting = owe(), owe(purpose=SECRET), owe("li@example.org")
    for days, erased in ((29, False), (31, True)):
        with clock.at(clock.now() + timedelta(days=days)):
            retention.erase(db)
        db.expire_all()
        assert [to_call.content is None, aside.content is None] == [erased, erased]
    assert waiting.content is not None
    assert (to_call.state, to_call.reason) == (MessageState.ASIDE, "too_old")
    assert (aside.state, aside.reason) == (MessageState.ASIDE, "no_address")
