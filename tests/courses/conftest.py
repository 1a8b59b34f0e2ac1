"""Fixtures for tests of paired devices (an instructor's device at the door of a session) and of many small files."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering
from lms.accounts import devices
from lms.accounts.models import Device, User
from lms.core import bounded_process, clock, sheet_parser
from lms.core.bounded_process import Bounds
from lms.core.scope import Role
from tests.factories import Make


@dataclass
class Door:
    """A session that began an hour ago, its instructor's device, and three people with a place."""

    offering: Offering
    meeting: CourseSession
    user: User
    device: Device
    token: str
    people: Sequence[Enrolment]
    client: FlaskClient

    def event(self, person: int = 0, **facts: Any) -> dict[str, Any]:
        """The body of a check-in event by tap. A fact that is None is left out."""
        fields = {
            "id": str(uuid4()), "session": self.meeting.id, "kind": "arrive", "method": "tap",
            "enrolment": self.people[person].id, "told_at": clock.now().isoformat(), "offset_ms": 0,
        } | facts  # fmt: skip
        return {name: value for name, value in fields.items() if value is not None}

    def send(self, *events: Any, **facts: Any) -> TestResponse:
        return self.post({"sent_at": clock.now().isoformat(), "events": events} | facts)

    def post(self, body: Any, token: str | None = None) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.post("/api/v1/check-ins", data=data, headers=headers, content_type="application/json")

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.token}"})


@pytest.fixture
def door(make: Make, db: Session, client: FlaskClient) -> Door:
    user = make.user(Role.INSTRUCTOR, name="李老师")
    offering = make.offering(lead=make.instructor(user=user))
    people = [make.enrolment(offering, make.trainee(name)) for name in ("张三丰", "李四", "王五")]
    device, token = devices.pair(db, user, "手机")
    db.commit()
    return Door(offering, offering.sessions[0], user, device, token, people, client)


def answers(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.json is not None
    answers_in_order: list[dict[str, Any]] = response.json["answers"]
    return answers_in_order


@pytest.fixture
def parsed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are parsed in this process: for tests that read hundreds of files and are about something else."""

    def run(module: str, parts: Iterable[bytes], bounds: Bounds, **arguments: Any) -> Iterator[Any]:
        return sheet_parser.program(io.BytesIO(b"".join(parts)), **arguments)

    monkeypatch.setattr(bounded_process, "run", run)
