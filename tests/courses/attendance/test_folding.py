"""The fold: a thousand events in any order, in any pieces, twice, make one and the same table of attendances."""

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from courses.attendance.check_ins import AttendanceInput
from courses.attendance.folding import Presence, PresenceEvent, fold
from courses.attendance.recording import record_all
from courses.device_events import BATCH_LIMIT
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.outcomes import Outcome
from lms.core import clock

NINE = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
ARRIVE, LEAVE, UNDO = AttendanceKind.ARRIVE, AttendanceKind.LEAVE, AttendanceKind.UNDO


def at(minute, kind=ARRIVE, number=None, undoes=None, **facts):
    return PresenceEvent(
        UUID(int=number) if number else uuid4(), kind, NINE + timedelta(minutes=minute), undoes, **facts
    )


def times(presence):
    """Minutes after nine of coming and going."""
    if presence is None:
        return None
    left = (presence.left_at - NINE).seconds // 60 if presence.left_at else None
    return (presence.arrived_at - NINE).seconds // 60, left


FIRST, SECOND = at(2, number=1), at(5, number=2)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([SECOND, FIRST], (2, None)),
        ([FIRST, at(1, LEAVE)], (2, None)),
        ([FIRST, at(30, LEAVE), at(40, LEAVE)], (2, 40)),
        ([FIRST, at(30, LEAVE), at(31)], (2, None)),
        ([FIRST, at(2, LEAVE)], (2, 2)),
        ([SECOND, at(5, LEAVE, number=1)], (5, 5)),
        ([at(3, LEAVE)], None),
        ([FIRST, at(3, UNDO, undoes=FIRST.id)], None),
        ([FIRST, SECOND, at(9, UNDO, undoes=FIRST.id)], (5, None)),
        ([FIRST, SECOND, at(3, UNDO)], (5, None)),
        ([FIRST, at(2, UNDO)], None),
        ([FIRST, at(9, LEAVE, number=7), at(10, UNDO, undoes=UUID(int=7))], (2, None)),
        ([FIRST, at(3, UNDO, undoes=FIRST.id, number=8), at(4, UNDO, undoes=UUID(int=8))], None),
        ([FIRST, at(3, UNDO, undoes=FIRST.id, valid=False)], (2, None)),
        ([at(1, valid=False), SECOND], (5, None)),
        ([at(2, number=9), FIRST], (2, None)),
    ],
)
def test_what_events_add_up_to(events, expected):
    for order in permutations(events):
        assert times(fold(order)) == expected
        assert times(fold([*order, *order])) == expected


def test_of_two_arrivals_at_one_moment_one_is_always_the_first():
    same = [at(2, number=9), at(2, number=3), at(2, number=6)]
    assert {fold(order).event_id for order in permutations(same)} == {UUID(int=3)}


def test_an_event_counts_unless_it_is_in_review_and_an_undo_without_a_name_takes_back_all():
    arrival, departure = (
        PresenceEvent(UUID(int=1), ARRIVE, NINE),
        PresenceEvent(UUID(int=2), LEAVE, NINE + timedelta(minutes=5)),
    )
    undo = PresenceEvent(UUID(int=3), UNDO, NINE + timedelta(minutes=5))
    assert fold([arrival, departure]) == Presence(UUID(int=1), NINE, NINE + timedelta(minutes=5))
    assert fold([arrival]) == Presence(UUID(int=1), NINE, None)
    assert fold([arrival, departure, undo]) is None


@st.composite
def histories(draw):
    numbers = range(1, draw(st.integers(1, 8)) + 1)
    return [
        PresenceEvent(
            UUID(int=number),
            kind := draw(st.sampled_from(AttendanceKind)),
            NINE + timedelta(minutes=draw(st.integers(0, 6))),
            UUID(int=draw(st.sampled_from(numbers))) if kind == UNDO and draw(st.booleans()) else None,
            draw(st.booleans()) or draw(st.booleans()),
        )
        for number in numbers
    ]


@given(histories(), st.randoms(use_true_random=False))
def test_no_order_and_no_repetition_changes_it(events, chance):
    mixed = [*events, *chance.choices(events, k=3)]
    chance.shuffle(mixed)
    found = fold(mixed)
    assert found == fold(events)
    if found is not None:
        by_id = {event.id: event for event in events}
        assert by_id[found.event_id].kind == ARRIVE
        assert by_id[found.event_id].valid
        assert all(
            event.moment >= found.arrived_at
            for event in events
            if event.kind == ARRIVE and event.valid and fold([event, *(e for e in events if e.kind == UNDO)])
        )
        assert found.left_at is None or found.left_at >= found.arrived_at


def a_thousand(chance, meeting, people):
    """Comings, goings and undos of everybody in one session, with the odd one out of its hours."""
    sent = []
    for _ in range(1000):
        person = chance.choice(people)
        kind = chance.choices([ARRIVE, LEAVE, UNDO], [6, 2, 2])[0]
        named = [one.id for one in sent if one.enrolment_id == person and one.kind != UNDO]
        sent.append(
            AttendanceInput(
                UUID(int=chance.getrandbits(128), version=4),
                meeting.id,
                person,
                kind,
                chance.choice([AttendanceMethod.TAP, AttendanceMethod.SCAN]),
                told_at=meeting.starts_at + timedelta(seconds=chance.randint(-30 * 60, 7000)),
                offset_ms=chance.choice([0, 0, 0, 1500, -1500, -(10**9)]),
                undoes=chance.choice(named) if kind == UNDO and named and chance.random() < 0.7 else None,
                reason="点错了" if kind == UNDO else None,
            )
        )
    return sent


def in_pieces(chance, events):
    """The events in another order, one in ten twice, in batches of any size."""
    mixed = [*events, *chance.sample(events, len(events) // 10)]
    chance.shuffle(mixed)
    while mixed:
        size = chance.randint(1, BATCH_LIMIT)
        yield mixed[:size]
        mixed = mixed[size:]


def table(db):
    return sorted(
        tuple(row) for row in db.execute(
            select(Attendance.course_session_id, Attendance.enrolment_id, Attendance.event_id,
                   Attendance.arrived_at, Attendance.left_at)
        )
    )  # fmt: skip


@settings(max_examples=1, phases=[Phase.generate])  # each example is 20 × 1,100 events: too slow to shrink
@given(st.integers(0, 2**32))
def test_a_thousand_events_in_twenty_orders_make_twenty_identical_tables(db, make, seed):
    chance = random.Random(seed)
    now = clock.now()
    meeting = make.offering(starts=[now - timedelta(hours=3)], hours=2).sessions[0]
    people = [make.enrolment(meeting.offering).id for _ in range(40)]
    events = a_thousand(chance, meeting, people)
    db.commit()
    tables = []
    for _ in range(20):
        with db.begin_nested() as attempt:
            for batch in in_pieces(chance, events):
                answers = record_all(db, batch, user_id=None, now=now)
                assert {answer.outcome for answer in answers} <= {Outcome.ACCEPTED, Outcome.ALREADY, Outcome.REVIEW}
            kept = db.execute(select(AttendanceEvent)).scalars().all()
            assert len(kept) == 1000
            tables.append(table(db))
            attempt.rollback()
        db.expire_all()
    assert all(one == tables[0] for one in tables)
    assert tables[0] == sorted(expected(meeting, events))
    assert 5 < len(tables[0]) < 40


def expected(meeting, events):
    """The table by the pure fold of what was sent."""
    for person in {event.enrolment_id for event in events}:
        said = [
            PresenceEvent(
                event.id,
                event.kind,
                event.told_at + timedelta(milliseconds=event.offset_ms),
                event.undoes,
                event.offset_ms > -(10**8),
            )
            for event in events
            if event.enrolment_id == person
        ]
        found: Presence | None = fold(said)
        if found is not None:
            yield meeting.id, person, found.event_id, found.arrived_at, found.left_at
