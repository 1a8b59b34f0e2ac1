"""Claims of self check-in: a scan of the rotating code gives one browser three minutes to check one person in.

The code is checked first; a browser without a valid code is asked and told nothing. The person is identified by a ticket
or account that the browser knows, or by the name and the last digits of the phone. A person who is not found is stored as
a walk-in for review, and so is a second person from the same browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, contains_eager

from courses.attendance import check_in_window, recording
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.attendance.roster import PHONE_TAIL_DIGITS
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

CLAIM_LIFETIME = timedelta(minutes=3)
# A scan at most so long before check-in opens gives a claim, and the page waits; an earlier one has to be repeated.
EARLY_SCAN = timedelta(minutes=30)
TRIES = 5
ELIGIBLE_STATES = (EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED)


class CodeRefused(DomainError):
    """The code or claim is not valid: too old, invented, used, or of a session without a code. All get the same answer."""

    status = 410

    def __init__(self) -> None:
        super().__init__("code_expired", N_("This code has expired. Scan the code that is on the screen now."))


@dataclass(frozen=True)
class IssuedClaim:
    """A new claim as its browser stores it: the claim's token and the browser's mark, of which the table has hashes only."""

    token: str
    browser: str
    expires_at: datetime


@dataclass(frozen=True)
class BrowserClaim:
    """The claim of a browser, with its session."""

    claim: CheckInClaim
    meeting: CourseSession


@dataclass(frozen=True)
class KnownTrainee:
    """A trainee of the session's training whose ticket or account the browser has."""

    enrolment_id: int
    name: str


class ClaimState(StrEnum):
    """The state of a used claim: present counts; unlisted, second and doubtful wait for the instructor."""

    PRESENT = "present"
    UNLISTED = "unlisted"
    SECOND = "second"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class ClaimResult:
    """The result of a claim, shown on the trainee's phone to the instructor. `at`: the arrival, or when it was noted."""

    state: ClaimState
    at: datetime
    name: str


def issue(db: Session, session_id: int, code: str, *, browser: str | None, now: datetime) -> IssuedClaim:
    """Issue a claim for a valid code.

    browser: the mark that the browser stores from an earlier scan; None for a new browser. Raises CodeRefused; for a valid
    code DomainError where check-in opens more than `EARLY_SCAN` later, or the session is over.
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
    opens = check_in_window.opens_at(meeting)
    if now < opens - EARLY_SCAN:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s. Come back then and scan again."), opens=opens)
    if now > meeting.ends_at:
        raise DomainError("session_over", N_("This session is over. Tell the instructor that you were there."))
    token, browser = crypto.token(), browser or crypto.token()
    claim = CheckInClaim(
        course_session_id=session_id,
        token_hash=crypto.token_hash(token),
        browser_hash=crypto.token_hash(f"{session_id}\0{browser}"),
        made_at=now,
        expires_at=max(now, opens) + CLAIM_LIFETIME,
    )
    db.add(claim)
    db.flush()
    return IssuedClaim(token, browser, claim.expires_at)


def load(db: Session, token: str | None, *, now: datetime) -> BrowserClaim:
    """Load the claim of a browser by its token, whether used or not. Raises CodeRefused for an unknown or expired one."""
    row = db.execute(
        select(CheckInClaim, CourseSession)
        .join(CourseSession, CourseSession.id == CheckInClaim.course_session_id)
        .join(CourseSession.offering)
        .options(contains_eager(CourseSession.offering).joinedload(Offering.course))
        .where(CheckInClaim.token_hash == crypto.token_hash(token or ""))
    ).one_or_none()
    if row is None or (row[0].used_at is None and row[0].expires_at <= now):
        raise CodeRefused
    return BrowserClaim(*row)


def known_trainees(
    db: Session, browser_claim: BrowserClaim, *, tickets: Sequence[str], user_id: int | None
) -> list[KnownTrainee]:
    """Read the trainees of this training whose ticket or account the browser has, in the order of their enrolment."""
    conditions: list[ColumnElement[bool]] = [Enrolment.has_ticket(*tickets)] if tickets else []
    if user_id is not None:
        conditions.append(Trainee.user_id == user_id)
    if not conditions:
        return []
    rows = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(
            Enrolment.offering_id == browser_claim.meeting.offering_id,
            Enrolment.state.in_(ELIGIBLE_STATES),
            or_(*conditions),
        )
        .order_by(Enrolment.id)
    )
    return [KnownTrainee(*row) for row in rows]


def find_enrolment(db: Session, browser_claim: BrowserClaim, name: str, tail: str) -> int | None:
    """Find the enrolment of the one trainee with this name and these last digits of the own or the guardian's phone.

    Returns None for no or several such trainees. Every trainee of the training is compared by both facts, so that neither
    the answer nor its time tells which fact was wrong. Each call uses one of the claim's `TRIES`; DomainError after them.
    """
    claim = db.scalars(select(CheckInClaim).where(CheckInClaim.id == browser_claim.claim.id).with_for_update()).one()
    if claim.tries >= TRIES:
        raise DomainError(
            "too_many_tries", N_("No attempts left. Continue without the phone number; the instructor will find you.")
        )
    claim.tries += 1
    name_key, digits = norm(name).encode(), tail.encode()
    matching = []
    for row in db.execute(
        select(Enrolment.id, Trainee.ref, Trainee.name_key, Trainee.phone_sealed, Trainee.guardian_phone_sealed)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.offering_id == browser_claim.meeting.offering_id, Enrolment.state.in_(ELIGIBLE_STATES))
    ):
        same_name = compare_digest(row.name_key.encode(), name_key)
        same_digits = [
            compare_digest(crypto.cipher().decrypt(column, row.ref, sealed)[-PHONE_TAIL_DIGITS:].encode(), digits)
            for column, sealed in ((PHONE_COLUMN, row.phone_sealed), (GUARDIAN_PHONE_COLUMN, row.guardian_phone_sealed))
            if sealed
        ]
        if same_name & any(same_digits):
            matching.append(row.id)
    return matching[0] if len(matching) == 1 else None


def check_in(db: Session, browser_claim: BrowserClaim, enrolment_id: int, *, now: datetime) -> None:
    """Use the claim for a trainee of the training. A used claim stays as it is. Raises CodeRefused and DomainError.

    A second person from one browser is stored for review, unless the instructor has checked that person in already.
    """
    is_second = _arrival(db, browser_claim.claim, enrolment_id) is None and _served_another(
        db, browser_claim.claim, enrolment_id
    )
    _use(
        db,
        browser_claim,
        enrolment_id=enrolment_id,
        review=ReviewReason.SECOND_FROM_BROWSER if is_second else None,
        now=now,
    )


def check_in_by_name(db: Session, browser_claim: BrowserClaim, name: str, *, now: datetime) -> None:
    """Use the claim for a person who was not found: a walk-in by name, stored for review. Raises as `check_in` does."""
    _use(db, browser_claim, walk_in=WalkIn(browser_claim.claim.id, name), now=now)


def result(db: Session, browser_claim: BrowserClaim) -> ClaimResult | None:
    """Read the result of a claim, which follows the instructor's later decisions; None while the claim is not used."""
    claim = browser_claim.claim
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
    arrived_at = _arrival(db, claim, claim.enrolment_id or row[3])
    if arrived_at is not None:
        return ClaimResult(ClaimState.PRESENT, arrived_at, name)
    if claim.enrolment_id is None:
        return ClaimResult(ClaimState.UNLISTED, claim.used_at, name)
    is_second = row[0] == ReviewReason.SECOND_FROM_BROWSER
    return ClaimResult(ClaimState.SECOND if is_second else ClaimState.DOUBTFUL, claim.used_at, name)


def _arrival(db: Session, claim: CheckInClaim, enrolment_id: int | None) -> datetime | None:
    """Read since when a trainee is present at the claim's session; None for a trainee who is not present."""
    return db.scalars(
        select(Attendance.arrived_at).where(
            Attendance.course_session_id == claim.course_session_id, Attendance.enrolment_id == enrolment_id
        )
    ).one_or_none()


def _served_another(db: Session, claim: CheckInClaim, enrolment_id: int) -> bool:
    """Return whether another person used this browser at this session.

    All claims of the browser are locked, so that of two people at the same moment one is seen as the second.
    """
    browser_claims = db.execute(
        select(CheckInClaim.id, CheckInClaim.used_at, CheckInClaim.enrolment_id)
        .where(
            CheckInClaim.course_session_id == claim.course_session_id,
            CheckInClaim.browser_hash == claim.browser_hash,
        )
        .order_by(CheckInClaim.id)
        .with_for_update()
    ).all()
    return any(
        row.id != claim.id and row.used_at is not None and row.enrolment_id != enrolment_id for row in browser_claims
    )


def _use(
    db: Session,
    browser_claim: BrowserClaim,
    *,
    enrolment_id: int | None = None,
    walk_in: WalkIn | None = None,
    review: ReviewReason | None = None,
    now: datetime,
) -> None:
    claim = db.scalars(
        select(CheckInClaim)
        .where(CheckInClaim.id == browser_claim.claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if claim is not None and claim.used_at is not None:
        return
    if claim is None or claim.expires_at <= now:
        raise CodeRefused
    opening = check_in_window.opening_ahead(browser_claim.meeting, now)
    if opening is not None:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opening)
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
