"""The page of people to call: for the staff of their district, with a number after a tap, and a record of each call."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import daily_counts
from courses.models.daily_counts import CountedAct
from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Purpose, Recipient
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
PURPOSE = Purpose("test_page", "Message")


def to_call(db: Session, name: str = "李雷", organisation_id: int | None = None) -> Message:
    recipient = Recipient("trainee:1", name, (), district_id=1, organisation_id=organisation_id, phone="+8613800138000")
    owing.owe(db, PURPOSE, recipient, subject="培训班取消", text="培训班已取消。\n{site}/tickets/x")
    db.commit()
    return db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()


def test_a_number_is_shown_after_a_tap_and_the_call_is_recorded(db: Session, make: Make, sign_in: SignIn) -> None:
    message = to_call(db)
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    page = browser.get("/messages/to-call").text
    assert "李雷" in page
    assert "培训班已取消" in page
    assert "http://127.0.0.1:8000/tickets/x" in page
    assert "没有可用于发送通知的联系方式" in page
    assert "13800138000" not in page
    assert 'href="tel:+8613800138000"' in browser.post(f"/messages/to-call/{message.id}/number").text
    assert [
        count.number for count in daily_counts.list_of_day(db, CountedAct.CALL, clock.today(ZoneInfo("Asia/Shanghai")))
    ] == [1]
    assert browser.post(f"/messages/to-call/{message.id}", data={"outcome": "not_reached"}).status_code == 302
    assert "1 次未接通" in browser.get("/messages/to-call").text
    browser.post(f"/messages/to-call/{message.id}", data={"outcome": "called", "note": "已告知"})
    page = browser.get("/messages/to-call").text
    assert "李雷" not in page
    assert "没有需要致电的人" in page
    db.expire_all()
    assert message.state is MessageState.CALLED
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"message:{message.id}"))
    assert list(actions) == ["message.read_phone", "message.call", "message.call"]


def test_the_navigation_counts_the_people_of_all_roles(db: Session, make: Make, sign_in: SignIn) -> None:
    host = make.organisation(1)
    to_call(db, organisation_id=host.id)
    to_call(db)
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=host.id)).get("/messages/to-call").text
    assert "共 1 人" in coordinator
    assert '待致电 <span class="badge text-bg-danger">1</span>' in coordinator
    assert (
        '待致电 <span class="badge text-bg-danger">2</span>'
        in sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/").text
    )
    assert "待致电" not in sign_in(make.user(Role.AUDITOR)).get("/").text


def test_what_is_no_outcome_is_not_found(db: Session, make: Make, sign_in: SignIn) -> None:
    message = to_call(db)
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert browser.post(f"/messages/to-call/{message.id}", data={"outcome": "forgotten"}).status_code == 404
    browser.post(f"/messages/to-call/{message.id}", data={"outcome": "not_needed"})
    assert browser.post(f"/messages/to-call/{message.id}/number").status_code == 409


def test_a_page_of_fifty_costs_few_statements(db: Session, make: Make, sign_in: SignIn, statements: list[str]) -> None:
    for number in range(55):
        to_call(db, name=f"学员{number}号")
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    statements.clear()
    page = browser.get("/messages/to-call?page=2").text
    assert ("学员54号" in page, "学员49号" in page) == (True, False)
    assert len(statements) <= 8
