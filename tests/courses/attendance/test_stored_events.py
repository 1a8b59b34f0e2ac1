"""Locking and reading before check-ins are judged: which rows are locked, which events are read, whose tickets they are."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest

from courses.attendance import recording, stored_events
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.closing import reviews
from courses.models.attendance import AttendanceKind, ReviewDecision, ReviewReason
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import audit, clock
from lms.core.scope import EVERYTHING, Role, Scope


@pytest.fixture
def offering(make):
    return make.offering(starts=[clock.now() - timedelta(hours=3)], hours=2)


def sent(db, offering, **facts):
    """Send one event as a device would, and return its id."""
    meeting = offering.sessions[0]
    facts.setdefault("told_at", meeting.starts_at + timedelta(minutes=5))
    event = AttendanceInput(uuid4(), meeting.id, **facts)
    recording.record_all(db, [event], user_id=audit.actor(db), now=clock.now())
    return event.id


def test_the_sessions_within_the_scope_are_locked_with_their_own_enrolments(db, make, offering):
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    enrolled, stranger = make.enrolment(offering), make.enrolment(make.offering())
    meeting = offering.sessions[0]
    ids = {waiting.id, enrolled.id, stranger.id}
    locked, events = stored_events.lock_and_read(db, {meeting.id}, ids)
    facts = locked.sessions[meeting.id]
    assert (facts.id, facts.offering_id, facts.offering_state) == (meeting.id, offering.id, OfferingState.PUBLISHED)
    assert (facts.starts_at, facts.ends_at, facts.closed_at) == (meeting.starts_at, meeting.ends_at, None)
    assert locked.enrolments == {
        (meeting.id, waiting.id): EnrolmentState.WAITLISTED,
        (meeting.id, enrolled.id): EnrolmentState.ENROLLED,
    }
    assert events == []
    elsewhere = Scope(district_ids=frozenset({offering.district_id + 1}))
    locked, _ = stored_events.lock_and_read(db, {meeting.id}, ids, elsewhere)
    assert (locked.sessions, locked.enrolments) == ({}, {})


def test_locking_and_reading_are_two_statements(db, make, offering, statements):
    enrolment, meeting = make.enrolment(offering), offering.sessions[0].id
    statements.clear()
    stored_events.lock_and_read(db, {meeting}, {enrolment.id}, events=[uuid4()])
    assert len(statements) == 2


def test_an_event_is_read_with_its_sender_and_its_answer_or_by_its_id_alone(db, make, offering):
    audit.act_as(db, make.user(Role.INSTRUCTOR, name="王老师").id)
    enrolment, meeting = make.enrolment(offering), offering.sessions[0]
    event_id = sent(db, offering, enrolment_id=enrolment.id)
    (event,) = stored_events.read_events(db, sessions=[meeting.id], enrolments=[enrolment.id])
    assert (event.id, event.kind, event.by, event.answer["code"]) == (
        event_id,
        AttendanceKind.ARRIVE,
        "王老师",
        "arrived",
    )
    assert (event.enrolment_id, event.sent_for, event.presence_event.valid) == (enrolment.id, enrolment.id, True)
    assert stored_events.read_events(db, sessions=[meeting.id], enrolments=[]) == []
    _, events = stored_events.lock_and_read(db, {meeting.id}, set(), events=[event_id])
    assert events == [event]


def test_a_decision_gives_an_event_to_its_person_and_moves_it_into_the_sessions_hours(db, make, offering, settings):
    enrolment, meeting = make.enrolment(offering), offering.sessions[0]
    event_id = sent(db, offering, ticket="nobody's", told_at=meeting.starts_at - timedelta(days=1))
    (waiting,) = stored_events.lock_and_read(db, {meeting.id}, set(), events=[event_id])[1]
    assert (waiting.review, waiting.enrolment_id) == (ReviewReason.UNKNOWN_TICKET, None)
    assert not waiting.presence_event.valid
    reviews.merge(db, event_id, enrolment.id, scope=EVERYTHING, now=clock.now(), zone=settings.zone)
    (merged,) = stored_events.read_events(db, sessions=[meeting.id], enrolments=[enrolment.id])
    assert (merged.id, merged.decision) == (event_id, ReviewDecision.MERGE)
    assert (merged.enrolment_id, merged.sent_for) == (enrolment.id, None)
    assert merged.presence_event.valid
    assert merged.moment == meeting.starts_at - timedelta(hours=1)


def test_a_ticket_is_found_as_scanned_and_its_hash_among_the_sessions_people_only(db, make, offering):
    own, stranger = make.enrolment(offering), make.enrolment(make.offering())
    hashes = {row.id: sha256(row.ticket.encode()).hexdigest() for row in (own, stranger)}
    meeting = offering.sessions[0].id
    found = stored_events.enrolments_of_tickets(db, [own.ticket, hashes[own.id], hashes[stranger.id]], [meeting])
    assert (found[own.ticket], found[hashes[own.id]]) == (own.id, own.id)
    assert hashes[stranger.id] not in found
    assert stored_events.enrolments_of_tickets(db, [stranger.ticket], [meeting])[stranger.ticket] == stranger.id


def test_the_ticket_of_a_cancelled_enrolment_stands_for_the_persons_new_one(db, make, offering):
    old = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    meeting = offering.sessions[0].id
    assert stored_events.enrolments_of_tickets(db, [old.ticket], [meeting])[old.ticket] == old.id
    new = make.enrolment(offering, old.trainee)
    assert stored_events.enrolments_of_tickets(db, [old.ticket], [meeting])[old.ticket] == new.id


def test_a_walk_in_is_known_by_its_session_and_its_enrolment_once_it_has_one(db, make, offering, settings):
    walk_in, enrolment = WalkIn(uuid4(), "李娜"), make.enrolment(offering)
    event_id = sent(db, offering, walk_in=walk_in)
    meeting = offering.sessions[0].id
    assert stored_events.known_walk_ins(db, [walk_in.id, uuid4()]) == {
        walk_in.id: stored_events.KnownWalkIn(meeting, None)
    }
    reviews.merge(db, event_id, enrolment.id, scope=EVERYTHING, now=clock.now(), zone=settings.zone)
    assert stored_events.known_walk_ins(db, [walk_in.id]) == {
        walk_in.id: stored_events.KnownWalkIn(meeting, enrolment.id)
    }
