"""The version of a session changes with whatever a roster shows and with nothing else; without a change it costs a 304."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from courses.assessment import skill_results
from courses.assessment.skill_results import SkillInput
from courses.attendance import roster, walk_ins
from courses.attendance.devices import session_version
from courses.attendance.self_check_in import code_display
from courses.closing import headcount
from courses.enrolment import places
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.attendance.self_check_in.steps import checked_in, claimed
from tests.courses.conftest import Door, answers
from tests.factories import Make


@dataclass
class Onlooker:
    """A device whose page is open, as it asks every two seconds."""

    door: Door
    version: str

    def ask(self) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.door.token}", "If-None-Match": f'"{self.version}"'}
        return self.door.client.get(f"/api/v1/sessions/{self.door.meeting.id}/changes", headers=headers)

    def changed(self) -> tuple[set[str], list[dict[str, Any]]]:
        """The parts of the version that changed since the last question, and who is present."""
        answer = self.ask()
        if answer.status_code == 304:
            assert answer.data == b""
            return set(), []
        assert answer.status_code == 200
        assert answer.json is not None
        before, self.version = self.version, answer.json["version"]
        assert answer.headers["ETag"] == f'"{self.version}"'
        parts = zip(session_version.SessionVersion._fields, before.split("."), self.version.split("."), strict=True)
        return {name for name, old, new in parts if old != new}, answer.json["present"]


@pytest.fixture
def onlooker(door: Door) -> Onlooker:
    answer = door.get(f"/api/v1/sessions/{door.meeting.id}/roster")
    assert answer.json is not None
    return Onlooker(door, answer.json["version"])


def test_what_a_roster_shows_changes_the_version(door: Door, onlooker: Onlooker, db: Session, make: Make) -> None:
    assert onlooker.changed() == (set(), [])
    first = door.event(0)
    [told] = answers(door.send(first))
    moment = told["arrived_at"]
    assert onlooker.changed() == (
        {"presence"},
        [{"enrolment": door.people[0].id, "arrived_at": moment, "left_at": None}],
    )
    answers(door.send(first))  # again
    assert onlooker.changed() == (set(), [])
    answers(door.send(door.event(0, kind="leave")))
    changed, [present] = onlooker.changed()
    assert (changed, present["left_at"] is not None) == ({"presence"}, True)
    answers(door.send(door.event(0, kind="undo", reason="Not this person")))
    assert onlooker.changed() == ({"presence"}, [])
    waiting = make.enrolment(
        door.offering, make.trainee("赵六"), state=EnrolmentState.WAITLISTED, queued_at=clock.now()
    )
    db.commit()
    assert onlooker.changed() == ({"people"}, [])
    meeting = roster.load_session(db, door.meeting.id, EVERYTHING)
    walk_ins.let_in(db, meeting, waiting.id, event_id=uuid4(), now=clock.now())
    db.commit()
    changed, present_now = onlooker.changed()
    assert (changed, [row["enrolment"] for row in present_now]) == ({"people", "presence"}, [waiting.id])
    code_display.show(db, meeting, now=clock.now())
    db.commit()
    assert onlooker.changed() == (set(), [])
    checked_in(db, claimed(db, meeting), door.people[1])
    db.commit()
    assert onlooker.changed()[0] == {"presence"}
    headcount.enter(db, meeting, 12, now=clock.now())
    db.commit()
    assert onlooker.changed()[0] == {"people"}
    places.cancel(db, door.people[2], reason="ill")
    db.commit()
    assert onlooker.changed()[0] == {"people"}
    for _ in range(2):  # the second mark changes nothing but its moment
        mark = SkillInput(uuid4(), meeting.id, door.people[0].id, skill_of(door), True, clock.now())
        skill_results.record_all(db, [mark], user_id=door.user.id, device_id=None, scope=EVERYTHING, now=clock.now())
        db.commit()
        assert onlooker.changed()[0] == {"marks"}
    assert onlooker.changed() == (set(), [])


def skill_of(door: Door) -> int:
    skills: list[CourseSkill] = door.offering.course.skills
    return skills[0].id


def test_only_who_may_read_the_roster_may_look(door: Door, onlooker: Onlooker, make: Make, db: Session) -> None:
    foreign = make.offering()
    db.commit()
    for session in (foreign.sessions[0].id, 999_999, 2**62):
        assert door.get(f"/api/v1/sessions/{session}/changes").status_code == 404
        assert door.get(f"/api/v1/sessions/{session}/roster").status_code == 404
    assert door.client.get(f"/api/v1/sessions/{door.meeting.id}/changes").status_code == 401
    with pytest.raises(NotFound):
        session_version.read_version(db, door.meeting.id, Scope(district_ids=frozenset({15})))
    door.device.revoked_at = clock.now()
    db.commit()
    assert onlooker.ask().status_code == 401


@pytest.mark.parametrize("sent", ["", "*", "x", '"', 'W/"{version}"', '"a", "{version}"', "{version}"])
def test_only_the_version_itself_is_answered_by_304(door: Door, onlooker: Onlooker, sent: str) -> None:
    headers = {"Authorization": f"Bearer {door.token}", "If-None-Match": sent.format(version=onlooker.version)}
    answer = door.client.get(f"/api/v1/sessions/{door.meeting.id}/changes", headers=headers)
    assert answer.status_code == (304 if onlooker.version in headers["If-None-Match"] or sent == "*" else 200)


def test_a_question_is_two_statements(door: Door, onlooker: Onlooker, statements: list[str]) -> None:
    onlooker.ask()
    assert len(statements) == 2, statements
