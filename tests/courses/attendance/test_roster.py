import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from courses.attendance import recording, roster
from courses.attendance.check_ins import AttendanceInput
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from lms.core import audit, clock
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Role, Scope

# tests/lms/static/roster_search.test.js holds the page to the same examples.
SEARCHES = json.loads((Path(__file__).parents[2] / "lms/static/roster_search.json").read_text())


def arrive(db, meeting, enrolment, now=None):
    event = AttendanceInput(uuid4(), meeting.id, enrolment.id, AttendanceKind.ARRIVE, AttendanceMethod.TAP)
    recording.record(db, event, now=now or clock.now())


def test_the_roster_tells_who_is_there_since_when_and_by_whom(db, make):
    offering = make.offering(hours=2)
    meeting = offering.sessions[0]
    there = make.enrolment(offering, make.trainee("张伟", phone="+8613812345678"), source=EnrolmentSource.WALK_IN)
    missing = make.enrolment(offering, make.trainee("安娜"))
    make.enrolment(offering, state=EnrolmentState.CANCELLED)
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    audit.act_as(db, make.user(Role.INSTRUCTOR, name="王老师").id)
    now = clock.now()
    arrive(db, meeting, there, now)
    people = roster.read_roster(db, meeting)
    assert [row.enrolment_id for row in people.rows] == [missing.id, there.id]
    assert [row.enrolment_id for row in people.waiting] == [waiting.id]
    row = people.rows[1]
    assert (row.name, row.phone_tail, row.walk_in, row.by) == ("张伟", "5678", True, "王老师")
    assert (row.arrived_at, row.later) == (now, False)
    assert (people.present, people.missing) == (1, 1)


def test_a_check_in_entered_after_the_end_is_marked(db, make):
    offering = make.offering(starts=[clock.now() - timedelta(hours=5)], hours=2)
    arrive(db, offering.sessions[0], make.enrolment(offering))
    assert roster.read_roster(db, offering.sessions[0]).rows[0].later


def test_names_are_in_the_order_of_their_sound(db, make):
    offering = make.offering()
    for name in ("张伟", "李娜", "Zoe", "陈静", "阿里"):
        make.enrolment(offering, make.trainee(name))
    assert [row.name for row in roster.read_roster(db, offering.sessions[0]).rows] == [
        "Zoe",
        "阿里",
        "陈静",
        "李娜",
        "张伟",
    ]


def test_people_of_one_name_are_told_apart(db, make):
    offering = make.offering()
    for name, phone in (("张伟", "+8613812345678"), ("张 伟", "+8613812341234"), ("李娜", "+8613812340000")):
        make.enrolment(offering, make.trainee(name, phone=phone))
    rows = roster.read_roster(db, offering.sessions[0]).rows
    assert [row.hint for row in rows] == ["", "··5678", "··1234"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", 2),
        ("张", 1),
        ("5678", 1),
        ("678", 1),
        ("567", 0),
        ("买买 提", 1),
        ("nobody", 0),
        ("zw", 1),
        ("AB D MMT", 1),
        ("z", 0),
        ("*", 0),
    ],
)
def test_search_by_name_initials_or_the_end_of_the_phone(db, make, words, found):
    offering = make.offering()
    make.enrolment(offering, make.trainee("张伟", phone="+8613812345678"))
    make.enrolment(offering, make.trainee("阿卜杜·买买提", phone="+8613811110000"))
    assert len(roster.matching_rows(roster.read_roster(db, offering.sessions[0]).rows, words)) == found


@pytest.mark.parametrize("example", SEARCHES, ids=lambda example: example["name"])
def test_the_server_searches_as_the_page_does(example):
    row = roster.RosterRow(1, example["name"], example["tail"], False, None, None, None, False)
    assert row.initials == example["initials"]
    assert [query for query in example["found"] if not roster.matching_rows([row], query)] == []
    assert [query for query in example["not"] if roster.matching_rows([row], query)] == []


def test_a_ticket_stands_for_its_enrolment(db, make):
    offering = make.offering()
    enrolment = make.enrolment(offering)
    assert roster.enrolment_of_ticket(db, offering.sessions[0], enrolment.ticket) == enrolment.id


def test_a_ticket_of_another_offering_says_when_that_one_begins(db, make):
    other = make.enrolment(make.offering())
    with pytest.raises(DomainError) as caught:
        roster.enrolment_of_ticket(db, make.offering().sessions[0], other.ticket)
    assert caught.value.code == "ticket_elsewhere"
    assert caught.value.params["starts"] == other.offering.sessions[0].starts_at


def test_an_unknown_ticket_is_refused_and_an_old_one_of_the_same_person_is_not(db, make):
    offering = make.offering()
    old = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    with pytest.raises(DomainError, match="not issued by this system"):
        roster.enrolment_of_ticket(db, offering.sessions[0], "x" * 22)
    assert roster.enrolment_of_ticket(db, offering.sessions[0], old.ticket) == old.id
    live = make.enrolment(offering, old.trainee)
    assert roster.enrolment_of_ticket(db, offering.sessions[0], old.ticket) == live.id


def test_a_session_out_of_reach_is_not_found(db, make):
    user = make.user(Role.INSTRUCTOR)
    mine, other = make.offering(lead=make.instructor(user=user)), make.offering()
    scope = Scope(instructor_user_id=user.id)
    assert roster.load_session(db, mine.sessions[0].id, scope).id == mine.sessions[0].id
    assert roster.load_session(db, other.sessions[0].id, EVERYTHING).id == other.sessions[0].id
    with pytest.raises(NotFound):
        roster.load_session(db, other.sessions[0].id, scope)


def test_those_present_who_hold_nothing_that_the_course_demands(db, make, statements):
    course = make.new_course(refresher=True)
    offering = make.offering(course=course)
    meeting = roster.load_session(db, offering.sessions[0].id, EVERYTHING)
    rows = [make.enrolment(offering) for _ in range(4)]
    for row in rows[:3]:
        recording.record(db, AttendanceInput(uuid4(), meeting.id, row.id), now=clock.now())
    make.legacy_certificate(rows[0].trainee, None)
    rows[1].held_elsewhere = "天津"
    db.flush()
    people = roster.read_roster(db, meeting).rows
    statements.clear()
    assert roster.present_without_certificate(db, meeting, people) == []
    assert statements == []
    make.prerequisite(course)
    lacking = roster.present_without_certificate(db, meeting, people)
    assert [row.enrolment_id for row in lacking] == [rows[2].id]
