"""Reminders: holders are told by mail before the last valid day, once at each distance in days, with refreshers near
them.

The database finds what is due, so days without a worker delay a reminder and lose none. After an outage only the
nearest distance is sent, not one mail for each distance that was missed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased, contains_eager

from certificates import qualification
from certificates.models import Certificate, CertificateReminder
from courses.enrolment import recipients
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.owing import Purpose, Recipient

BATCH = 200
REMINDER = Purpose("reminder", N_("Certificate that ends soon"), called=False, parameters=("course", "day"))
MAX_OFFERINGS = 3  # refresher offerings in one mail
SEPARATOR = "\n\n" + "-" * 32 + "\n\n"

_SUBJECT = N_("Your certificate is valid until %(day)s: %(course)s")
_TEXT = N_(
    "Your certificate “%(course)s” (%(number)s) is valid until %(day)s; days left: %(left)s.\n\n"
    "A refresher renews it. %(offerings)s\n\nYour certificate: %(address)s"
)
_SOON = N_("These have free places, the nearest to you first:")
_NONE = N_("None is open at the moment; coming ones are shown at\n%(address)s")


@dataclass(frozen=True, slots=True)
class DueReminder:
    """A reminder that is due: the certificate, the person, the distance (days) and the days that are left."""

    certificate: Certificate
    recipient: Recipient
    district_id: int
    ticket: str
    days_before: int
    days_left: int


@dataclass(frozen=True, slots=True)
class Ending:
    """The facts of a certificate that a reminder names. way: the path of the page that shows it, after `owing.SITE`."""

    holder: str
    number: str
    course_zh: str
    course_en: str
    valid_until: date
    days_left: int
    way: str


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
) -> list[DueReminder]:
    """Return the reminders that are due on a day, soonest end first.

    There is one for each certificate that is neither revoked nor superseded, ends soon, and was not reminded at this
    distance or a nearer one. There is none for a holder whom no message reaches (`recipients.of_enrolment`), nor for a
    holder of a certificate of the same type that ends later. A distance before the issue day is left out: nobody is warned
    on the day on which the certificate is issued.
    """
    spans = [(farther, nearer) for farther, nearer in pairwise((*sorted(set(distances), reverse=True), -1))]
    if not spans:
        return []
    statement = (
        select(Certificate)
        .join(Certificate.enrolment)
        .join(Enrolment.trainee)
        .join(Enrolment.offering)
        .outerjoin(User, User.id == Trainee.user_id)
        .options(
            contains_eager(Certificate.enrolment).options(
                contains_eager(Enrolment.trainee), contains_eager(Enrolment.offering)
            )
        )
        .where(
            Certificate.revoked_at.is_(None),
            Certificate.superseded_by_id.is_(None),
            or_(*(_within(today, farther, nearer) for farther, nearer in spans)),
            recipients.has_address(),
            ~has_later_certificate(),
        )
        .order_by(Certificate.valid_until, Certificate.id)
        .limit(limit)
    )
    if lock:
        statement = statement.with_for_update(of=Certificate, skip_locked=True)
    return [_due(certificate, spans, today) for certificate in db.scalars(statement)]


def remind(db: Session, distances: Sequence[int], *, zone: ZoneInfo, limit: int = BATCH) -> int:
    """Put the mails of at most `limit` due reminders into the outbox and return their number.

    The caller commits and calls again until the number is 0.
    """
    reminders = due(db, distances, today=clock.today(zone), limit=limit, lock=True)
    if not reminders:
        return 0
    now = clock.now()
    inserted = db.execute(
        insert(CertificateReminder)
        .values(
            [
                {"certificate_id": reminder.certificate.id, "days_before": reminder.days_before, "reminded_at": now}
                for reminder in reminders
            ]
        )
        .on_conflict_do_nothing()
        .returning(CertificateReminder.certificate_id)
    )
    new = set(inserted.scalars())
    offerings = refreshers(db, {reminder.certificate.certificate_type for reminder in reminders})
    for reminder in reminders:
        certificate = reminder.certificate
        if certificate.id not in new or certificate.valid_until is None:
            continue
        ending = Ending(
            certificate.holder_name,
            certificate.number,
            *qualification.names(certificate.facts),
            certificate.valid_until,
            reminder.days_left,
            f"/tickets/{reminder.ticket}/certificate",
        )
        near = nearest(offerings[certificate.certificate_type], reminder.district_id)
        key = f"reminder:{certificate.id}:{reminder.days_before}"
        owe_mail(db, ending, reminder.recipient, near, zone, key=key)
    db.flush()
    return len(reminders)


def refreshers(db: Session, types: set[int]) -> dict[int, list[Refresher]]:
    """Return coming public refresher offerings with free places, by certificate type, soonest first."""
    starts = select(func.min(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id).scalar_subquery()
    places_taken = (
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
            places_taken < Offering.capacity,
        )
        .order_by("starts_at", Offering.id)
    )
    by_type: dict[int, list[Refresher]] = defaultdict(list)
    for offering, starts_at, certificate_type in rows:
        by_type[certificate_type].append(
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
    return by_type


def nearest(offerings: Sequence[Refresher], district_id: int) -> list[Refresher]:
    """Return a few of the offerings: those of the holder's district first, then the soonest."""
    return sorted(offerings, key=lambda refresher: (refresher.district_id != district_id, refresher.starts_at))[
        :MAX_OFFERINGS
    ]


def _within(today: date, farther: int, nearer: int) -> ColumnElement[bool]:
    """Return the condition that a certificate is at this distance, and was not reminded at it or at a nearer one."""
    reminded = exists().where(
        CertificateReminder.certificate_id == Certificate.id, CertificateReminder.days_before <= farther
    )
    return and_(
        Certificate.valid_until > today + timedelta(days=nearer),
        Certificate.valid_until <= today + timedelta(days=farther),
        Certificate.issued_on <= Certificate.valid_until - timedelta(days=farther),
        ~reminded,
    )


def has_later_certificate() -> ColumnElement[bool]:
    """Return the condition that the holder has another certificate of the same type, in force, that ends later."""
    other, other_enrolment = aliased(Certificate), aliased(Enrolment)
    return exists(
        select(1)
        .select_from(other)
        .join(other_enrolment, other_enrolment.id == other.enrolment_id)
        .where(
            other_enrolment.trainee_id == Enrolment.trainee_id,
            other.certificate_type == Certificate.certificate_type,
            other.revoked_at.is_(None),
            other.superseded_by_id.is_(None),
            or_(other.valid_until.is_(None), other.valid_until > Certificate.valid_until),
        )
    )


def _due(certificate: Certificate, spans: Sequence[tuple[int, int]], today: date) -> DueReminder:
    enrolment = certificate.enrolment
    left = (certificate.valid_until - today).days if certificate.valid_until is not None else 0
    return DueReminder(
        certificate=certificate,
        recipient=replace(recipients.of_enrolment(enrolment), name=certificate.holder_name),
        district_id=enrolment.trainee.district_id or enrolment.offering.district_id,
        ticket=enrolment.ticket,
        days_before=next(farther for farther, nearer in spans if nearer < left <= farther),
        days_left=left,
    )


def owe_mail(
    db: Session, ending: Ending, recipient: Recipient, offerings: Sequence[Refresher], zone: ZoneInfo, *, key: str
) -> None:
    """Owe the reminder of a certificate, in both languages, with these refreshers. key: as in `owing.owe`."""
    day = ending.valid_until.isoformat()
    subjects, texts = [], []
    for translate, own, course in ((chinese().gettext, "zh", ending.course_zh), (str, "en", ending.course_en)):
        if offerings:
            offerings_text = "\n".join([translate(_SOON), *(_offering_text(each, own, zone) for each in offerings)])
        else:
            offerings_text = translate(_NONE) % {"address": f"{owing.SITE}/training/"}
        subjects.append(translate(_SUBJECT) % {"course": course, "day": day})
        texts.append(
            translate(_TEXT)
            % {
                "course": course,
                "number": ending.number,
                "day": day,
                "left": ending.days_left,
                "offerings": offerings_text,
                "address": f"{owing.SITE}{ending.way}",
            }
        )
    owing.owe(
        db,
        REMINDER,
        recipient,
        subject=" / ".join(subjects),
        text=f"{ending.holder}:\n\n" + SEPARATOR.join(texts),
        parameters={"course": ending.course_zh, "day": day},
        key=key,
    )


def _offering_text(offering: Refresher, language: str, zone: ZoneInfo) -> str:
    district = offering.district_en if language == "en" else offering.district_zh
    begins = f"{offering.starts_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"{district} · {offering.place} · {begins}\n{owing.SITE}/training/{offering.offering_id}"
