"""Reminding holders before the last valid day: once at each distance, by mail, with the refreshers near them.

What is due is found in the database, so days without a worker delay a reminder and lose none; after an outage only the
nearest distance is sent, not one mail for each that was missed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased, contains_eager

from certificates.models import Certificate, CertificateReminder
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock, mail
from lms.core.errors import N_
from lms.core.languages import chinese

BATCH = 200
NAMED = 3  # refresher offerings in one mail
RULE = "\n\n" + "-" * 32 + "\n\n"

_SUBJECT = N_("Your certificate is valid until %(day)s: %(course)s")
_TEXT = N_(
    "Your certificate “%(course)s” (%(number)s) is valid until %(day)s; days left: %(left)s.\n\n"
    "A refresher renews it. %(offerings)s\n\nYour certificate: %(address)s"
)
_SOON = N_("These have free places, the nearest to you first:")
_NONE = N_("None is open at the moment; coming ones are shown at\n%(address)s")


@dataclass(frozen=True, slots=True)
class Due:
    """One reminder that is due: for whom, at which distance (days), and how many days are left."""

    certificate: Certificate
    email: str
    district_id: int
    ticket: str
    days_before: int
    days_left: int


@dataclass(frozen=True, slots=True)
class Refresher:
    """A coming refresher offering with free places."""

    offering_id: int
    certificate_type: int
    district_id: int
    district_zh: str
    district_en: str
    place: str
    starts_at: datetime


def due(
    db: Session, distances: Sequence[int], *, today: date, limit: int | None = None, lock: bool = False
) -> list[Due]:
    """The reminders that are due on a day, soonest end first.

    One for each certificate that stands, ends soon, and was not reminded at this distance or a nearer one. None for a
    holder without an e-mail address, nor for one who holds a newer certificate of the same type. A distance that lay
    before the issue day is passed over: nobody is warned on the day the certificate is made.
    """
    ends = [(farther, nearer) for farther, nearer in pairwise((*sorted(set(distances), reverse=True), -1))]
    if not ends:
        return []
    statement = (
        select(Certificate, Enrolment.ticket, Trainee, Offering.district_id, User.email)
        .join(Certificate.enrolment)
        .join(Enrolment.trainee)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .outerjoin(User, and_(User.id == Trainee.user_id, User.disabled_at.is_(None)))
        .where(
            Certificate.revoked_at.is_(None),
            Certificate.superseded_by_id.is_(None),
            or_(*(_within(today, farther, nearer) for farther, nearer in ends)),
            or_(Trainee.email_sealed.is_not(None), User.email.is_not(None)),
            ~outlived(),
        )
        .order_by(Certificate.valid_until, Certificate.id)
        .limit(limit)
    )
    if lock:
        statement = statement.with_for_update(of=Certificate, skip_locked=True)
    return [_due(row, ends, today) for row in db.execute(statement)]


def remind(db: Session, distances: Sequence[int], *, zone: ZoneInfo, limit: int = BATCH) -> int:
    """Owe the mails of at most `limit` reminders that are due; how many. The caller commits and asks again until 0."""
    found = due(db, distances, today=clock.today(zone), limit=limit, lock=True)
    if not found:
        return 0
    now = clock.now()
    inserted = db.execute(
        insert(CertificateReminder)
        .values(
            [
                {"certificate_id": one.certificate.id, "days_before": one.days_before, "reminded_at": now}
                for one in found
            ]
        )
        .on_conflict_do_nothing()
        .returning(CertificateReminder.certificate_id)
    )
    new = set(inserted.scalars())
    offerings = refreshers(db, {one.certificate.certificate_type for one in found})
    for one in found:
        if one.certificate.id in new:
            _tell(db, one, near(offerings[one.certificate.certificate_type], one.district_id), zone)
    db.flush()
    return len(found)


def refreshers(db: Session, types: set[int]) -> dict[int, list[Refresher]]:
    """Coming refresher offerings that anybody may join and that have free places, by certificate type, soonest first."""
    starts = select(func.min(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id).scalar_subquery()
    taken = (
        select(func.count())
        .where(Enrolment.offering_id == Offering.id, Enrolment.state.in_(HOLDS_PLACE))
        .scalar_subquery()
    )
    rows = db.execute(
        select(Offering, starts.label("starts_at"), func.coalesce(Course.certificate_type, 0))
        .join(Offering.course)
        .join(Offering.district)
        .options(contains_eager(Offering.district))
        .where(
            Course.refresher,
            Course.certificate_type.in_(types),
            Offering.state == OfferingState.PUBLISHED,
            Offering.by_invitation.is_(False),
            starts > clock.now(),
            taken < Offering.capacity,
        )
        .order_by("starts_at", Offering.id)
    )
    found: dict[int, list[Refresher]] = defaultdict(list)
    for offering, starts_at, certificate_type in rows:
        found[certificate_type].append(
            Refresher(
                offering_id=offering.id,
                certificate_type=certificate_type,
                district_id=offering.district_id,
                district_zh=offering.district.name_zh,
                district_en=offering.district.name_en,
                place=offering.place,
                starts_at=starts_at,
            )
        )
    return found


def near(offerings: Sequence[Refresher], district_id: int) -> list[Refresher]:
    """A few of them: those of the holder's district first, then the soonest."""
    return sorted(offerings, key=lambda one: (one.district_id != district_id, one.starts_at))[:NAMED]


def _within(today: date, farther: int, nearer: int) -> ColumnElement[bool]:
    """Whether a certificate is at this distance, and was not reminded at it or at a nearer one."""
    reminded = exists().where(
        CertificateReminder.certificate_id == Certificate.id, CertificateReminder.days_before <= farther
    )
    return and_(
        Certificate.valid_until > today + timedelta(days=nearer),
        Certificate.valid_until <= today + timedelta(days=farther),
        Certificate.issued_on <= Certificate.valid_until - timedelta(days=farther),
        ~reminded,
    )


def outlived() -> ColumnElement[bool]:
    """Whether the holder has another certificate of the same type that stands and ends later."""
    other, taken = aliased(Certificate), aliased(Enrolment)
    return exists(
        select(1)
        .select_from(other)
        .join(taken, taken.id == other.enrolment_id)
        .where(
            taken.trainee_id == Enrolment.trainee_id,
            other.certificate_type == Certificate.certificate_type,
            other.revoked_at.is_(None),
            other.superseded_by_id.is_(None),
            or_(other.valid_until.is_(None), other.valid_until > Certificate.valid_until),
        )
    )


def _due(row: Row[*tuple[Any, ...]], ends: Sequence[tuple[int, int]], today: date) -> Due:
    certificate, ticket, trainee, district_id, account_email = row
    left = (certificate.valid_until - today).days
    return Due(
        certificate=certificate,
        email=trainee.email or account_email,
        district_id=trainee.district_id or district_id,
        ticket=ticket,
        days_before=next(farther for farther, nearer in ends if nearer < left <= farther),
        days_left=left,
    )


def _tell(db: Session, one: Due, offerings: Sequence[Refresher], zone: ZoneInfo) -> None:
    facts = one.certificate.facts
    words = chinese()
    day = one.certificate.valid_until.isoformat() if one.certificate.valid_until else ""
    subjects, texts = [], []
    for translate, own in ((words.gettext, "zh"), (str, "en")):
        course = facts[f"course_{own}"]
        if offerings:
            said = "\n".join([translate(_SOON), *(_line(each, own, zone) for each in offerings)])
        else:
            said = translate(_NONE) % {"address": f"{mail.SITE}/training/"}
        subjects.append(translate(_SUBJECT) % {"course": course, "day": day})
        texts.append(
            translate(_TEXT)
            % {
                "course": course,
                "number": one.certificate.number,
                "day": day,
                "left": one.days_left,
                "offerings": said,
                "address": f"{mail.SITE}/tickets/{one.ticket}",
            }
        )
    mail.owe(
        db,
        recipient=one.email,
        subject=" / ".join(subjects),
        text=f"{one.certificate.holder_name}:\n\n" + RULE.join(texts),
    )


def _line(offering: Refresher, language: str, zone: ZoneInfo) -> str:
    district = offering.district_en if language == "en" else offering.district_zh
    begins = f"{offering.starts_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"{district} · {offering.place} · {begins}\n{mail.SITE}/training/{offering.offering_id}"
