"""A session, a person with a place, and a judge who knows what a test gives: for the tests of `deciding`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from courses.attendance.check_ins import AttendanceInput, CheckInAnswer
from courses.attendance.deciding import IdentityLookup, Judge, KnownEvents
from courses.attendance.stored_events import KnownWalkIn, LockedRows, LockedSession, StoredEvent
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.core.errors import DomainError

STARTS, NOW, ENDS = (datetime(2026, 3, 7, hour, tzinfo=UTC) for hour in (8, 9, 11))
MEETING = LockedSession(1, 10, OfferingState.PUBLISHED, STARTS, ENDS, None)
SOMEBODY, SOMEBODY_ELSE = 5, 6
ARRIVE, LEAVE, UNDO = AttendanceKind.ARRIVE, AttendanceKind.LEAVE, AttendanceKind.UNDO
CORRECTION = AttendanceMethod.CORRECTION
MICROSECOND, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)
ENROLLED, WAITLISTED, CANCELLED = EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED, EnrolmentState.CANCELLED


def sent(kind: AttendanceKind = ARRIVE, **facts: Any) -> AttendanceInput:
    """An event of the one person who has a place, unless the facts say whose it is."""
    if not {"enrolment_id", "ticket", "walk_in"} & facts.keys():
        facts["enrolment_id"] = SOMEBODY
    return AttendanceInput(facts.pop("id", None) or uuid4(), facts.pop("session_id", 1), kind=kind, **facts)


def stored(kind: AttendanceKind = ARRIVE, moment: datetime = NOW - 10 * MINUTE, **facts: Any) -> StoredEvent:
    """An event that came in ten minutes ago, by a tap of Ms Wang's, before answers were kept unless the facts give one."""
    known = StoredEvent(
        uuid4(), 1, SOMEBODY, SOMEBODY, kind, AttendanceMethod.TAP, moment, None, None, None, None, None, None, None,
        None, "王老师",
    )  # fmt: skip
    return replace(known, **facts)


def judge(
    *known: StoredEvent,
    strict: bool = True,
    meeting: LockedSession = MEETING,
    state: EnrolmentState = EnrolmentState.ENROLLED,
    owners: Mapping[str, int] | None = None,
    guests: Mapping[UUID, KnownWalkIn] | None = None,
    now: datetime = NOW,
) -> Judge:
    held = LockedRows({1: meeting, 2: replace(meeting, id=2)}, {(1, SOMEBODY): state, (2, SOMEBODY): state})
    return Judge(held, KnownEvents(known), IdentityLookup(owners or {}, guests or {}), now=now, strict=strict)


def refusal(at: Judge, event: AttendanceInput) -> DomainError:
    with pytest.raises(DomainError) as refused:
        at.answer(event, None)
    return refused.value


def told(answer: CheckInAnswer) -> tuple[str, str]:
    return str(answer.outcome), answer.code
