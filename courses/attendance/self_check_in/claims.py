"""What a trainee's scan of the rotating code gives: a claim of three minutes, for one browser, to check one person in.

The code is looked at first, before anything is asked or told. Who somebody is, a ticket that the browser knows says, or the
name and the end of the phone number. Whoever is not found is noted for the instructor, and so is a second person who
comes through the same browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, contains_eager

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.attendance.self_check_in import rotating_code
from courses.models.attendance import (
    Attendance,
    AttendanceDecision,
    AttendanceEvent,
    AttendanceKind,
    AttendanceMethod,
    ReviewReason,
)
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.self_check_in import CheckInClaim, CheckInKey
from courses.models.trainees import GUARDIAN_PHONE_COLUMN, PHONE_COLUMN, Trainee
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import Outcome
from lms.core import crypto
from lms.core.errors import N_, DomainError
from lms.core.names import norm

LASTS = timedelta(minutes=3)
# Whoever scans no longer than this before check-in opens waits for it on the page; who comes earlier scans again.
EARLY = timedelta(minutes=30)
TRIES = 5
TAIL = 4
MAY_COME = (EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED)


class CodeRefused(DomainError):
    """No code of now: too old, made up, used up, or of a session that shows none. From outside all look the same."""

    status = 410

    def __init__(self) -> None:
        super().__init__("code_expired", N_("This code has expired. Scan the code that is on the screen now."))


@dataclass(frozen=True)
class Scanned:
    """A claim as its browser keeps it: two secrets, of which the table has hashes only."""

    token: str
    browser: str
    expires_at: datetime


@dataclass(frozen=True)
class Held:
    """A claim and the session it is for."""

    claim: CheckInClaim
    meeting: CourseSession

    def opens_at(self, now: datetime) -> datetime | None:
        """When check-in opens, while it has not."""
        opens = recording.opens_at(self.meeting)
        return opens if opens > now else None


@dataclass(frozen=True)
class Known:
    """Somebody whose ticket or account this browser has."""

    enrolment_id: int
    name: str


class State(StrEnum):
    """What became of a claim. unlisted, second and doubtful wait for the instructor."""

    PRESENT = "present"
    UNLISTED = "unlisted"
    SECOND = "second"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class Result:
    """The state, the moment that counts, and whose it is, so that the instructor sees it on the trainee's phone."""

    state: State
    at: datetime
    name: str


def scan(db: Session, session_id: int, code: str, *, browser: str | None, now: datetime) -> Scanned:
    """Give a claim for a code of now.

    browser: the mark that the browser kept from an earlier scan. Raises CodeRefused; for a good code DomainError where
    check-in opens much later, or the session is over.
    """
    row = db.execute(
        select(CheckInKey, CourseSession)
        .join(CourseSession, CourseSession.id == CheckInKey.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(
            CheckInKey.course_session_id == session_id,
            CourseSession.closed_at.is_(None),
            Offering.state == OfferingState.PUBLISHED,
        )
    ).one_or_none()
    if row is None or not rotating_code.accepts(row[0].key, session_id, code, now):
        raise CodeRefused
    meeting = row[1]
    opens = recording.opens_at(meeting)
    if now < opens - EARLY:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s. Come back then and scan again."), opens=opens)
    if now > meeting.ends_at:
        raise DomainError("session_over", N_("This session is over. Tell the instructor that you were there."))
    token, browser = crypto.token(), browser or crypto.token()
    claim = CheckInClaim(
        course_session_id=session_id,
        token_hash=crypto.token_hash(token),
        browser_hash=crypto.token_hash(f"{session_id}\0{browser}"),
        made_at=now,
        expires_at=max(now, opens) + LASTS,
    )
    db.add(claim)
    db.flush()
    return Scanned(token, browser, claim.expires_at)


def held(db: Session, token: str | None, *, now: datetime) -> Held:
    """The claim of a browser, used or still to be used. Raises CodeRefused."""
    row = db.execute(
        select(CheckInClaim, CourseSession)
        .join(CourseSession, CourseSession.id == CheckInClaim.course_session_id)
        .join(CourseSession.offering)
        .options(contains_eager(CourseSession.offering).joinedload(Offering.course))
        .where(CheckInClaim.token_hash == crypto.token_hash(token or ""))
    ).one_or_none()
    if row is None or (row[0].used_at is None and row[0].expires_at <= now):
        raise CodeRefused
    return Held(*row)


def known(db: Session, found: Held, *, tickets: Sequence[str], user_id: int | None) -> list[Known]:
    """Those of this training whose ticket or account the browser has, in the order of their enrolment."""
    mine: list[ColumnElement[bool]] = [Enrolment.ticket.in_(tickets)] if tickets else []
    if user_id is not None:
        mine.append(Trainee.user_id == user_id)
    if not mine:
        return []
    rows = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.offering_id == found.meeting.offering_id, Enrolment.state.in_(MAY_COME), or_(*mine))
        .order_by(Enrolment.id)
    )
    return [Known(*row) for row in rows]


def find(db: Session, found: Held, name: str, tail: str) -> int | None:
    """The enrolment of the one person with this name and this end of their (or their guardian's) phone; None otherwise.

    Everybody of the training is held against both, whatever fits, so that neither the answer nor its time tells which of
    the two was wrong. Each call counts as a try of the claim; DomainError after the last.
    """
    claim = db.scalars(select(CheckInClaim).where(CheckInClaim.id == found.claim.id).with_for_update()).one()
    if claim.tries >= TRIES:
        raise DomainError(
            "too_many_tries", N_("That was the last try. Go on without the phone number: the instructor finds you.")
        )
    claim.tries += 1
    key, end = norm(name).encode(), tail.encode()
    fitting = []
    for row in db.execute(
        select(Enrolment.id, Trainee.ref, Trainee.name_key, Trainee.phone_sealed, Trainee.guardian_phone_sealed)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.offering_id == found.meeting.offering_id, Enrolment.state.in_(MAY_COME))
    ):
        named = compare_digest(row.name_key.encode(), key)
        ends = [
            compare_digest(crypto.cipher().decrypt(column, row.ref, sealed)[-TAIL:].encode(), end)
            for column, sealed in ((PHONE_COLUMN, row.phone_sealed), (GUARDIAN_PHONE_COLUMN, row.guardian_phone_sealed))
            if sealed
        ]
        if named & any(ends):
            fitting.append(row.id)
    return fitting[0] if len(fitting) == 1 else None


def check_in(db: Session, found: Held, enrolment_id: int, *, now: datetime) -> None:
    """Use the claim for somebody of the training. Doing it twice changes nothing. Raises DomainError."""
    second = _is_there(db, found.claim, enrolment_id) is None and _came_another(db, found.claim, enrolment_id)
    _use(db, found, enrolment_id=enrolment_id, review=ReviewReason.SECOND_FROM_BROWSER if second else None, now=now)


def note(db: Session, found: Held, name: str, *, now: datetime) -> None:
    """Use the claim for somebody who was not found: noted by name, for the instructor to look at. Raises DomainError."""
    _use(db, found, walk_in=WalkIn(found.claim.id, name), now=now)


def result(db: Session, found: Held) -> Result | None:
    """What became of a claim; None while it is not used. Follows what the instructor decides afterwards."""
    claim = found.claim
    if claim.used_at is None:
        return None
    row = db.execute(
        select(AttendanceEvent.review, Trainee.name, WalkInPerson.name, AttendanceDecision.enrolment_id)
        .outerjoin(AttendanceDecision, AttendanceDecision.event_id == AttendanceEvent.id)
        .outerjoin(Enrolment, Enrolment.id == AttendanceEvent.enrolment_id)
        .outerjoin(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(WalkInPerson, WalkInPerson.id == AttendanceEvent.walk_in_id)
        .where(AttendanceEvent.id == claim.id)
    ).one()
    name = row[1] or row[2] or ""
    there = _is_there(db, claim, claim.enrolment_id or row[3])
    if there is not None:
        return Result(State.PRESENT, there, name)
    if claim.enrolment_id is None:
        return Result(State.UNLISTED, claim.used_at, name)
    second = row[0] == ReviewReason.SECOND_FROM_BROWSER
    return Result(State.SECOND if second else State.DOUBTFUL, claim.used_at, name)


def _is_there(db: Session, claim: CheckInClaim, enrolment_id: int | None) -> datetime | None:
    """Since when somebody is present at the session of a claim."""
    return db.scalars(
        select(Attendance.arrived_at).where(
            Attendance.course_session_id == claim.course_session_id, Attendance.enrolment_id == enrolment_id
        )
    ).one_or_none()


def _came_another(db: Session, claim: CheckInClaim, enrolment_id: int) -> bool:
    """Whether somebody else used this browser at this session. All its claims are held, so that two at once are seen."""
    others = db.execute(
        select(CheckInClaim.id, CheckInClaim.used_at, CheckInClaim.enrolment_id)
        .where(
            CheckInClaim.course_session_id == claim.course_session_id,
            CheckInClaim.browser_hash == claim.browser_hash,
        )
        .order_by(CheckInClaim.id)
        .with_for_update()
    ).all()
    return any(
        other.id != claim.id and other.used_at is not None and other.enrolment_id != enrolment_id for other in others
    )


def _use(
    db: Session,
    found: Held,
    *,
    enrolment_id: int | None = None,
    walk_in: WalkIn | None = None,
    review: ReviewReason | None = None,
    now: datetime,
) -> None:
    claim = db.scalars(
        select(CheckInClaim)
        .where(CheckInClaim.id == found.claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if claim is not None and claim.used_at is not None:
        return
    if claim is None or claim.expires_at <= now:
        raise CodeRefused
    opens = found.opens_at(now)
    if opens is not None:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opens)
    event = AttendanceInput(
        id=claim.id,
        session_id=claim.course_session_id,
        kind=AttendanceKind.ARRIVE,
        method=AttendanceMethod.SELF,
        enrolment_id=enrolment_id,
        walk_in=walk_in,
        review=review,
    )
    (answer,) = recording.record_all(db, [event], user_id=None, now=now)
    if answer.outcome == Outcome.REJECTED:
        raise DomainError(answer.code, answer.message, status=answer.status)
    claim.used_at, claim.enrolment_id = now, enrolment_id
    db.flush()
