"""Reminders of sessions: on the day before, each enrolled trainee is told time and place, with a way to say "I cannot come".

A class is reminded of once for each of its days, however often the task runs: the key of the message names enrolment and
day. The database finds what is due, so that an evening without a worker delays a reminder to the morning; of a day whose
first session has begun, nobody is reminded any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import String, cast, exists, func, literal, select, update
from sqlalchemy.orm import Session, contains_eager

from courses.enrolment import recipients
from courses.enrolment.mail import LANGUAGE_SEPARATOR, REMINDER
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from courses.offerings.scheduling import format_period
from lms.accounts.models import User
from lms.core import clock
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Draft

BATCH = 200
# Nobody is reminded at night: before the first hour of the day, or from the last one on.
FIRST_HOUR, LAST_HOUR = 7, 21

_SUBJECT = N_("Your training on %(day)s: %(course)s")
_TIMES = N_(
    "“%(course)s”, in which you are enrolled, takes place on %(day)s.\n\nTime and place:\n%(times)s\nHost: %(host)s"
)
_TICKET = N_("Your ticket, whose code you show when you arrive:\n%(ticket)s")
_BRING = N_("What to bring: %(bring)s")
_WAY_THERE = N_("How to get there: %(directions)s")
_CALL = N_("Questions: %(contact)s")
_CANNOT_COME = N_("If you cannot come, please say so here, so that somebody else gets the place:\n%(address)s")


@dataclass(frozen=True, slots=True)
class ClassDay:
    """A day of an offering, with its sessions in their order. moment: when its trainees are reminded."""

    day: date
    offering: Offering
    sessions: Sequence[CourseSession]
    moment: datetime


def remind(db: Session, *, at: time, zone: ZoneInfo) -> int:
    """Owe at most `BATCH` reminders that are due, and return their number. at: the time on the day before.

    The caller commits and calls again until the number is 0. Whom no message reaches gets none, and nobody calls. Who
    enrolled after the moment of the reminder just got the ticket, and is not reminded.
    """
    now = clock.now().astimezone(zone)
    if not FIRST_HOUR <= now.hour < LAST_HOUR:
        return 0
    count = 0
    today = clock.today(zone)
    for day in (today, today + timedelta(days=1)):
        moment = datetime.combine(day - timedelta(days=1), at, tzinfo=zone)
        if moment <= now:
            for class_day in _class_days(db, day, moment, zone):
                drafts = _drafts(db, class_day, zone, BATCH - count)
                owing.owe_many(db, drafts)
                count += len(drafts)
                if count == BATCH:
                    return count
    return count


def withdraw(db: Session, offering: Offering) -> None:
    """Withdraw the reminders of an offering that were not sent yet: it was cancelled, or has other times now.

    The caller has locked the offering. A reminder of the new times is due as if there had been none.
    """
    unsent = (
        select(Message.id)
        .where(
            Message.state == MessageState.WAITING,
            Message.purpose == REMINDER.code,
            func.split_part(Message.key, ":", 2).in_(
                select(cast(Enrolment.id, String)).where(Enrolment.offering_id == offering.id)
            ),
        )
        .with_for_update(skip_locked=True)
    )
    db.execute(
        update(Message)
        .where(Message.id.in_(unsent))
        .values(state=MessageState.ASIDE, reason="not_needed", settled_at=clock.now(), key=None)
        .execution_options(synchronize_session=False)
    )


def _class_days(db: Session, day: date, moment: datetime, zone: ZoneInfo) -> Sequence[ClassDay]:
    """The published offerings with sessions on a day, whose first session of the day has not begun.

    The offerings are locked until the commit, so that one that is being cancelled or changed is left out, and one that is
    cancelled afterwards finds its reminders (`withdraw`).
    """
    begins = datetime.combine(day, time(), tzinfo=zone)
    rows = db.scalars(
        select(CourseSession)
        .join(CourseSession.offering)
        .options(contains_eager(CourseSession.offering))
        .where(
            CourseSession.starts_at >= begins,
            CourseSession.starts_at < begins + timedelta(days=1),
            Offering.state == OfferingState.PUBLISHED,
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
        .with_for_update(of=Offering, read=True, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    by_offering: dict[int, list[CourseSession]] = {}
    for meeting in rows:
        by_offering.setdefault(meeting.offering_id, []).append(meeting)
    now = clock.now()
    return [
        ClassDay(day, meetings[0].offering, meetings, moment)
        for meetings in by_offering.values()
        if meetings[0].starts_at > now
    ]


def _drafts(db: Session, class_day: ClassDay, zone: ZoneInfo, limit: int) -> Sequence[Draft]:
    """The reminders of a day of an offering that are not owed yet. The enrolments are locked until the commit."""
    key = literal(f"{REMINDER.code}:") + cast(Enrolment.id, String) + f":{class_day.day}"
    attended = exists().where(Attendance.enrolment_id == Enrolment.id)
    rows = db.execute(
        select(Enrolment, User, attended)
        .join(Enrolment.trainee)
        .outerjoin(User, User.id == Trainee.user_id)
        .options(contains_eager(Enrolment.trainee))
        .where(
            Enrolment.offering_id == class_day.offering.id,
            Enrolment.state == EnrolmentState.ENROLLED,
            Enrolment.created_at <= class_day.moment,
            recipients.has_address(),
            ~exists().where(Message.key == key),
        )
        .order_by(Enrolment.id)
        .with_for_update(of=Enrolment, key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    texts: dict[bool, tuple[str, str]] = {}
    drafts = []
    for enrolment, _account, has_attended in rows:
        recipient = recipients.of_enrolment(enrolment)
        if not owing.can_reach(REMINDER, recipient):
            continue
        if has_attended not in texts:
            texts[has_attended] = _in_both(class_day, zone, may_cancel=not has_attended)
        subject, text = texts[has_attended]
        drafts.append(
            Draft(
                purpose=REMINDER,
                recipient=recipient,
                subject=subject,
                text=f"{enrolment.trainee.name}:\n\n{text.replace('{ticket}', enrolment.ticket)}",
                parameters={
                    "course": class_day.offering.course.name_zh,
                    "day": class_day.day.isoformat(),
                    "time": f"{class_day.sessions[0].starts_at.astimezone(zone):%H:%M}",
                    "ticket": enrolment.ticket,
                },
                key=f"{REMINDER.code}:{enrolment.id}:{class_day.day}",
                until=class_day.sessions[0].starts_at,
            )
        )
        if len(drafts) == limit:
            break
    return drafts


def _in_both(class_day: ClassDay, zone: ZoneInfo, *, may_cancel: bool) -> tuple[str, str]:
    """Subject and text in both languages, with `{ticket}` in the place of the ticket."""
    offering = class_day.offering
    course, host = offering.course, offering.organisation
    times = [
        f"{format_period(meeting.starts_at, meeting.ends_at, zone).partition(' ')[2]}  {meeting.place or offering.place}"
        for meeting in class_day.sessions
    ]
    ticket = f"{owing.SITE}/tickets/{{ticket}}"
    calls = offering if offering.contact_phone else host
    subjects, texts = [], []
    for translate, language, course_name, host_name, course_bring in (
        (chinese().gettext, "zh", course.name_zh, host.name_zh, course.bring_zh or course.bring_en),
        (str, "en", course.name_en or course.name_zh, host.name_en or host.name_zh, course.bring_en or course.bring_zh),
    ):
        values = {
            "course": course_name,
            "day": format_date(class_day.day, "yyyy-MM-dd EEEE", locale=language),
            "times": "\n".join(times),
            "host": host_name,
            "ticket": ticket,
            "bring": offering.bring or course_bring,
            "directions": offering.directions,
            "contact": " ".join(filter(None, (calls.contact_name, calls.contact_phone))),
            "address": f"{ticket}/cancel",
        }
        subjects.append(translate(_SUBJECT) % values)
        optional = {_BRING: values["bring"], _WAY_THERE: values["directions"], _CALL: values["contact"]}
        facts = "\n".join(translate(part) % values for part, value in optional.items() if value)
        texts.append(
            "\n\n".join(
                [
                    translate(_TIMES) % values,
                    *([facts] if facts else []),
                    translate(_TICKET) % values,
                    *([translate(_CANNOT_COME) % values] if may_cancel else []),
                ]
            )
        )
    return " / ".join(subjects), LANGUAGE_SEPARATOR.join(texts)
