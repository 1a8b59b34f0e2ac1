"""The list to call: by district, with a number that is read once and audited, and what became of each call."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.messages import calling
from lms.core.messages.calling import CallOutcome
from lms.core.messages.models import MessageState
from lms.core.messages.owing import Purpose
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make
from tests.lms.core.messages.conftest import Owe

HERE, ELSEWHERE = Scope(district_ids=frozenset({1})), Scope(district_ids=frozenset({2}))
LINK = Purpose("test_link", "Link", secret=True)
SITE = "https://training.example.org"


def test_the_list_says_whom_to_call_why_and_what_to_say(db: Session, owe: Owe) -> None:
    owe()
    page = calling.list_due(db, HERE, 1, site=SITE)
    (due,) = page.rows
    assert (due.name, due.purpose, due.has_number, due.calls) == ("李雷", "Notice", False, 0)
    assert due.reason == "No address is known to which a message may be sent."
    assert due.text is not None
    assert f"{SITE}/tickets/x" in due.text
    assert (calling.count_due(db, HERE), calling.count_due(db, EVERYTHING), calling.count_due(db, ELSEWHERE)) == (
        1,
        1,
        0,
    )


def test_a_personal_link_is_not_read_out(db: Session, owe: Owe) -> None:
    owe(purpose=LINK)
    (due,) = calling.list_due(db, HERE, 1, site=SITE).rows
    assert due.text is None


def test_a_number_is_read_within_the_scope_and_recorded(db: Session, make: Make, owe: Owe) -> None:
    message = owe("+8613800138000")
    with pytest.raises(DomainError, match="already"):
        calling.read_number(db, message.id, HERE)
    message.state, message.settled_at = MessageState.TO_CALL, message.created_at
    with pytest.raises(NotFound):
        calling.read_number(db, message.id, ELSEWHERE)
    caller = make.user()
    audit.act_as(db, caller.id)
    assert calling.read_number(db, message.id, HERE) == "+8613800138000"
    db.flush()
    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.user_id, entry.reason, entry.after) == ("message.read_phone", caller.id, "Notice", None)


def test_poison_is_listed_and_harms_no_page(db: Session, owe: Owe) -> None:
    owe(text="a\ud800b")
    assert [due.text for due in calling.list_due(db, HERE, 1, site=SITE).rows] == ["a?b"]


def test_calls_are_recorded(db: Session, make: Make, owe: Owe) -> None:
    first, second = owe(), owe()
    calling.record_call(db, first.id, CallOutcome.NOT_REACHED, " 无人\n接听 ", HERE)
    db.flush()
    assert [due.id for due in calling.list_due(db, HERE, 1, site=SITE).rows] == [second.id, first.id]
    assert (first.state, first.calls) == (MessageState.TO_CALL, 1)
    caller = make.user()
    audit.act_as(db, caller.id)
    calling.record_call(db, first.id, CallOutcome.CALLED, "", HERE)
    calling.record_call(db, second.id, CallOutcome.NOT_NEEDED, "", HERE)
    db.flush()
    assert (first.state, first.reason, first.settled_by) == (MessageState.CALLED, "no_address", caller.id)
    assert (second.state, second.reason) == (MessageState.ASIDE, "not_needed")
    assert calling.count_due(db, EVERYTHING) == 0
    entries = db.execute(select(AuditEntry.after, AuditEntry.reason).order_by(AuditEntry.id)).all()
    assert [tuple(entry) for entry in entries] == [
        ({"outcome": "not_reached"}, "无人 接听"),
        ({"outcome": "called"}, None),
        ({"outcome": "not_needed"}, None),
    ]
    with pytest.raises(DomainError, match="already"):
        calling.record_call(db, first.id, CallOutcome.CALLED, "", HERE)


def test_a_note_has_an_end(db: Session, owe: Owe) -> None:
    with pytest.raises(DomainError, match="500"):
        calling.record_call(db, owe().id, CallOutcome.CALLED, "长" * 501, HERE)
