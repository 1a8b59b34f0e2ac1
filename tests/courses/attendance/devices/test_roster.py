"""The sessions and rosters that a device gets: its own sessions, and of the people no more than it may store."""

import json
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256

from sqlalchemy.orm import Session

from courses.attendance.devices.search_hashes import SearchKey
from lms.core import clock
from tests.courses.conftest import Door, answers
from tests.factories import Make


def test_the_roster_shows_no_more_than_a_device_may_keep(door: Door, db: Session) -> None:
    answers(door.send(door.event(0)))
    answer = door.get(f"/api/v1/sessions/{door.meeting.id}/roster")
    assert answer.status_code == 200
    roster = answer.json
    assert roster is not None
    assert [(person["name"], person["present"]) for person in roster["people"]] == [
        ("李*", False),
        ("王*", False),
        ("张*丰", True),
    ]
    assert {person["ticket"] for person in roster["people"]} == {
        sha256(person.ticket.encode()).hexdigest() for person in door.people
    }
    for person in door.people:
        assert person.trainee.name not in answer.text
        assert person.trainee.phone is not None
        assert person.trainee.phone[-8:] not in answer.text
        assert person.ticket not in answer.text
        assert person.trainee.phone[-4:] not in json.dumps(roster["people"])
        assert not {person.trainee.phone[-4:], person.trainee.name} & {row["hint"] for row in roster["people"]}
    # The key is the device's own, and finds each person by name, initials and tail.
    key = SearchKey(b64decode(roster["search_key"]["value"]))
    assert roster["search_key"] == key.as_json()
    rows = {row["enrolment"]: row["find"] for row in roster["people"]}
    for person in door.people:
        assert rows[person.id] == key.hashes(person.trainee.name, person.trainee.phone)
    assert [skill["name"]["en"] for skill in roster["skills"]] == ["Skill 1", "Skill 2"]
    assert roster["session"]["id"] == door.meeting.id
    assert roster["session"]["closed"] is False


def test_the_own_sessions_are_listed(door: Door, make: Make, db: Session) -> None:
    make.offering()
    far = make.offering(starts=[clock.now() + timedelta(days=9)], lead=door.offering.lead_instructor)
    db.commit()
    answer = door.get("/api/v1/sessions")
    assert answer.json is not None
    found = [row["id"] for row in answer.json["sessions"]]
    assert found == [door.meeting.id]
    assert far.sessions[0].id not in found
