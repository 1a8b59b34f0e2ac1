"""A saved file of unsent check-ins: through the same door, once however often it is sent, and an answer for each line."""

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from courses import saved_events
from courses.models.assessment import SkillEvent
from courses.models.attendance import Attendance, AttendanceEvent
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def send(browser: FlaskClient, content: Any) -> TestResponse:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return browser.post("/check-ins/upload", data={"file": (io.BytesIO(data), "check-ins.json")})


def event(session: int, **who: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "session": session, "kind": "arrive", "method": "tap", "told_at": clock.now().isoformat(),
        "offset_ms": None,
    } | who  # fmt: skip


def test_each_line_is_answered_and_sending_it_twice_changes_nothing(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user))
    foreign = make.offering()
    here, there = offering.sessions[0].id, foreign.sessions[0].id
    person = make.enrolment(offering, make.trainee("张三丰"))
    skill = {
        "id": str(uuid4()), "session": here, "enrolment": person.id, "skill": offering.course.skills[0].id,
        "passed": True, "told_at": clock.now().isoformat(), "offset_ms": 0,
    }  # fmt: skip
    content = {
        "sent_at": "2020-01-01T00:00:00Z",
        "events": [
            event(here, enrolment=person.id),
            event(here, walk_in={"id": str(uuid4()), "name": "赵六"}, method="walk_in"),
            event(there, enrolment=make.enrolment(foreign, make.trainee("外人")).id),
            {"id": "x"},
        ],
        "skill_results": [skill, {}],
    }
    db.commit()
    browser = sign_in(user)
    for _ in range(2):
        page = send(browser, content)
        assert page.status_code == 200
        for words in ("张三丰", "赵六", "已接收 2", "待审核 1", "未接收 3"):
            assert words in page.text
        assert "外人" not in page.text
        assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 2
        assert db.scalar(select(func.count()).select_from(Attendance)) == 1
        assert db.scalar(select(func.count()).select_from(SkillEvent)) == 1


def test_a_long_file_goes_through(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user))
    person = make.enrolment(offering)
    db.commit()
    events = [event(offering.sessions[0].id, enrolment=person.id) for _ in range(250)]
    assert send(sign_in(user), {"events": events}).status_code == 200
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 250


@pytest.mark.parametrize(
    "content",
    [
        b"", b"x", b"[]", b"{}", b"[" * 5000, {"events": []}, {"events": {}}, {"events": [1] * (saved_events.FILE_LIMIT + 1)},
    ],
)  # fmt: skip
def test_another_file_is_refused_with_a_message(make: Make, sign_in: SignIn, content: Any) -> None:
    page = send(sign_in(make.user(Role.INSTRUCTOR)), content)
    assert page.status_code == 422
    assert "alert-danger" in page.text


def test_a_file_that_is_too_large_is_refused(make: Make, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_events, "BYTES_LIMIT", 1000)
    page = send(sign_in(make.user(Role.INSTRUCTOR)), b" " * 1001)
    assert page.status_code == 422
    assert "invalid-feedback" in page.text


def test_without_a_file_it_says_so(make: Make, sign_in: SignIn) -> None:
    browser = sign_in(make.user(Role.INSTRUCTOR))
    assert browser.get("/check-ins/upload").status_code == 200
    assert browser.post("/check-ins/upload").status_code == 422
