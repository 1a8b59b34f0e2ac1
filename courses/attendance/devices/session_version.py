"""The version of a session: three hashes that change when its roster changes, for a device that looks on while others tap.

A device asks every two seconds while its page is looked at. So the version is one SELECT by indexes over the rows that a
roster is made of. No row is written for it: the check-in that changes it does no more work than before.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, bindparam, func, literal_column, select

from courses.attendance.stored_events import CACHED_SCOPES
from courses.models.assessment import Assessment
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, SessionInstructor
from lms.core.autocommit import Reads
from lms.core.errors import NotFound
from lms.core.pipeline import PreparedStatement, send
from lms.core.scope import Scope

_attendances = Attendance.__table__.c
_assessments = Assessment.__table__.c
_enrolments = Enrolment.__table__.c
_meetings = CourseSession.__table__.c
_offerings = Offering.__table__.c
_instructors = SessionInstructor.__table__.c


class SessionVersion(NamedTuple):
    """Hashes of a session's rows.

    people: the trainees of the offering and their places, and the session itself: its hours, place, headcount and closing, and
    its instructors. presence: who arrived and left, and when. marks: the attempts of assessments.
    """

    people: str
    presence: str
    marks: str

    def __str__(self) -> str:
        """The version as a device keeps it and sends it back: `people.presence.marks`."""
        return ".".join(self)


_PRESENCE = PreparedStatement(
    select(_attendances.enrolment_id, _attendances.arrived_at, _attendances.left_at)
    .where(_attendances.course_session_id == bindparam("session", type_=BigInteger))
    .order_by(_attendances.enrolment_id),
    "session",
)


def read_version(db: Reads, session_id: int, scope: Scope) -> SessionVersion:
    """Read the version of a session. Raises NotFound where the scope does not cover the session."""
    row = _version_statement(scope.reach).first(db, session=session_id)
    if row is None:
        raise NotFound
    return SessionVersion(*(f"{number % 2**64:016x}" for number in row))


def read_presence(db: Reads, session_id: int) -> list[dict[str, Any]]:
    """Read who is present at a session: values for JSON, and moments. The caller has checked the scope."""
    (rows,) = send(db, (_PRESENCE, {"session": session_id}))
    return [
        {"enrolment": enrolment_id, "arrived_at": arrived_at, "left_at": left_at}
        for enrolment_id, arrived_at, left_at in rows
    ]


@lru_cache(maxsize=CACHED_SCOPES)
def _version_statement(scope: Scope) -> PreparedStatement:
    here = select(
        _meetings.id, _meetings.offering_id, _meetings.starts_at, _meetings.ends_at, _meetings.place, _meetings.headcount,
        _meetings.closed_at, _offerings.state,
    ).select_from(CourseSession.__table__.join(Offering.__table__, _offerings.id == _meetings.offering_id)).where(
        _meetings.id == bindparam("session", type_=BigInteger), Offering.visible_to(scope)
    ).cte("here")  # fmt: skip
    session_hash = _hash(
        here.c.starts_at, here.c.ends_at, here.c.place, here.c.headcount, here.c.closed_at, here.c.state
    )
    enrolments = _hash_of_all(
        Enrolment.__table__,
        (_enrolments.id, _enrolments.state, _enrolments.trainee_id),
        _enrolments.offering_id == here.c.offering_id,
    )
    instructors = _hash_of_all(
        SessionInstructor.__table__,
        (_instructors.instructor_id, _instructors.active, _instructors.arrived_at, _instructors.left_at),
        _instructors.course_session_id == here.c.id,
    )
    presence = _hash_of_all(
        Attendance.__table__,
        (_attendances.enrolment_id, _attendances.arrived_at, _attendances.left_at),
        _attendances.course_session_id == here.c.id,
    )
    marks = _hash_of_all(
        Assessment.__table__.join(Enrolment.__table__, _enrolments.id == _assessments.enrolment_id),
        (_assessments.id, _assessments.theory_score, _assessments.assessed_at),
        _enrolments.offering_id == here.c.offering_id,
    )
    people = session_hash.op("#")(enrolments).op("#")(instructors)
    return PreparedStatement(select(people, presence, marks).select_from(here), "session")


def _hash(*values: Any) -> Any:
    return func.hash_record_extended(func.row(*values), literal_column("0"))


def _hash_of_all(rows: FromClause, values: tuple[Any, ...], condition: Any) -> Any:
    """The hash of the rows in any order: the hashes of each, combined by exclusive or. The rows differ by their ids."""
    return select(func.coalesce(func.bit_xor(_hash(*values)), literal_column("0"))).select_from(rows).where(
        condition
    ).scalar_subquery()  # fmt: skip
