"""Check-ins that come in from afar, from a device or in a saved file: only those of sessions that the sender sees are taken."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ARRAY, BigInteger, Select, any_, bindparam, select
from sqlalchemy.orm import Session

from courses import attendance
from courses.check_in_desk import rejected
from courses.check_ins import AttendanceInput, Recorded
from courses.models.offerings import CourseSession
from lms.core.scope import Scope

SCOPES = 1024  # as many senders' statements are kept


def take(
    db: Session,
    events: Sequence[AttendanceInput],
    scope: Scope,
    *,
    user_id: int,
    device_id: int | None = None,
    now: datetime,
) -> list[Recorded]:
    """Record up to 100 events and answer each, in the order given.

    An event of a session that is not the sender's is rejected like one of a session that does not exist.
    """
    seen = _seen(db, {event.session_id for event in events}, scope)
    within = [event for event in events if event.session_id in seen]
    answers = iter(attendance.record_all(db, within, user_id=user_id, device_id=device_id, now=now) if within else ())
    return [next(answers) if event.session_id in seen else rejected(event, "not_found") for event in events]


def _seen(db: Session, session_ids: Collection[int], scope: Scope) -> Collection[int]:
    if scope.everything or not session_ids:
        return session_ids
    return set(db.scalars(_visible(scope), {"sessions": list(session_ids)}))


@lru_cache(maxsize=SCOPES)
def _visible(scope: Scope) -> Select[int]:
    """Which of some sessions a scope covers. Making the statement takes longer than sending it, so it is kept."""
    among = any_(bindparam("sessions", type_=ARRAY(BigInteger)))
    return select(CourseSession.id).where(CourseSession.id == among, CourseSession.visible_to(scope))
