"""Messages of its staff to a class: whom each reaches and how, sending, and what a ticket's page shows of them.

An e-mail holds the whole message. A text message to a phone cannot: gateways send registered templates alone. It leads to the
ticket's page, which shows the message, so that nobody depends on the channel.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, exists, func, insert, select
from sqlalchemy.orm import Session, contains_eager

from courses.enrolment import namesakes, recipients
from courses.enrolment.mail import LANGUAGE_SEPARATOR
from courses.models.attendance import Attendance
from courses.models.class_messages import OF_SESSION, Audience, ClassMessage, ClassMessageRecipient
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.rights import leads
from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Purpose
from lms.core.name_order import by_sound
from lms.core.scope import Scope

LONGEST = 1000  # characters of a message
A_DAY = 10  # messages to one class within a day: each may cost a text message a person
SHOWN_FOR = timedelta(days=30)  # on the ticket's page
MESSAGE = Purpose("class_message", N_("Message to a class"), parameters=("course", "ticket"))

_SUBJECT = N_("A message about your training: %(course)s")
_INTRODUCTION = N_("A message of %(host)s about “%(course)s”:")
_WAY = N_("Your ticket, with times and place:")


@dataclass(frozen=True)
class ClassRecipient:
    """A person for whom a message is meant. channel: the first that can reach the person; None where somebody has to call.

    hint: what tells the person from another one of the same name.
    """

    enrolment: Enrolment
    channel: Channel | None
    hint: str = ""


def may_send(offering: Offering, scope: Scope) -> bool:
    """Tell whether the scope's user may write to the class: coordinators and administrators in reach, and its leads."""
    if scope.read_only or offering.state not in (OfferingState.PUBLISHED, OfferingState.CLOSED):
        return False
    staff = scope.everything or offering.district_id in scope.district_ids
    return staff or offering.organisation_id in scope.organisation_ids or leads(offering, scope)


def list_recipients(
    db: Session, offering: Offering, audience: Audience, meeting: CourseSession | None
) -> Sequence[ClassRecipient]:
    """The people for whom a message is meant, in pinyin order. meeting: the session of `present` and `absent`."""
    enrolments = sorted(
        db.scalars(_enrolments(offering.id, audience, meeting)).all(),
        key=lambda row: (by_sound(row.trainee.name), row.id),
    )
    hints: Mapping[int, str] = namesakes.hints(db, {row.id: row.trainee.name for row in enrolments})
    return [ClassRecipient(row, _channel(row), hints.get(row.id, "")) for row in enrolments]


def send(  # what a message is made of
    db: Session,
    offering: Offering,
    audience: Audience,
    meeting: CourseSession | None,
    text: str,
    *,
    scope: Scope,
    form_hash: bytes | None,
) -> ClassMessage:
    """Send a message to the people of an audience, each once, and return it.

    The offering is locked, so that a form sent twice at once sends once. Raises DomainError where the user may not send, the
    text is empty or too long, nobody is meant, or too many messages went to this class within a day.
    """
    db.refresh(offering, with_for_update=True)
    if form_hash is not None:
        earlier = db.scalars(select(ClassMessage).where(ClassMessage.form_hash == form_hash)).one_or_none()
        if earlier is not None:
            return earlier
    if not may_send(offering, scope):
        raise DomainError("message_denied", N_("You may not write to this class."), status=403)
    _demand_text(text)
    _demand_session(offering, audience, meeting)
    if _sent_today(db, offering.id) >= A_DAY:
        raise DomainError("messages_many", N_("Ten messages went to this class within a day. Write again tomorrow."))
    people = list_recipients(db, offering, audience, meeting)
    if not people:
        raise DomainError("message_nobody", N_("There is nobody for whom this message is meant."), status=422)
    message = ClassMessage(
        offering_id=offering.id,
        course_session_id=meeting.id if meeting is not None else None,
        audience=audience,
        text=text,
        form_hash=form_hash,
        sent_by=audit.actor(db),
    )
    db.add(message)
    db.flush()
    rows = [{"class_message_id": message.id, "enrolment_id": person.enrolment.id} for person in people]
    db.execute(insert(ClassMessageRecipient), rows)
    for person in people:
        _owe(db, message, offering, person.enrolment)
    audit.record(
        db,
        "offering.message",
        offering,
        after={
            "message": message.id,
            "audience": audience.value,
            "session": message.course_session_id,
            "people": len(people),
        },
    )
    db.flush()
    return message


def of_enrolment(db: Session, enrolment_id: int) -> Sequence[ClassMessage]:
    """The messages of the last days that were meant for an enrolment, the newest first."""
    return db.scalars(
        select(ClassMessage)
        .join(ClassMessageRecipient, ClassMessageRecipient.class_message_id == ClassMessage.id)
        .where(ClassMessageRecipient.enrolment_id == enrolment_id, ClassMessage.sent_at > clock.now() - SHOWN_FOR)
        .order_by(ClassMessage.id.desc())
    ).all()


def of_offering(db: Session, offering_id: int) -> Sequence[tuple[ClassMessage, Mapping[MessageState, int]]]:
    """The messages to a class, the newest first, each with the number of people by the state of what was sent to them."""
    messages = db.scalars(
        select(ClassMessage).where(ClassMessage.offering_id == offering_id).order_by(ClassMessage.id.desc())
    ).all()
    pairs = db.execute(
        select(ClassMessageRecipient.class_message_id, ClassMessageRecipient.enrolment_id).where(
            ClassMessageRecipient.class_message_id.in_([message.id for message in messages])
        )
    ).all()
    keys = {_key(message_id, enrolment_id): message_id for message_id, enrolment_id in pairs}
    states: dict[int, Counter[MessageState]] = {message.id: Counter() for message in messages}
    for key, state in db.execute(select(Message.key, Message.state).where(Message.key.in_(keys))):
        states[keys[str(key)]][state] += 1
    return [(message, states[message.id]) for message in messages]


def _key(message_id: int, enrolment_id: int) -> str:
    return f"{MESSAGE.code}:{message_id}:{enrolment_id}"


def _enrolments(offering_id: int, audience: Audience, meeting: CourseSession | None) -> Select[Enrolment]:
    statement = (
        select(Enrolment)
        .join(Enrolment.trainee)
        .options(contains_eager(Enrolment.trainee))
        .where(Enrolment.offering_id == offering_id)
    )
    if audience is Audience.WAITING:
        return statement.where(Enrolment.state == EnrolmentState.WAITLISTED)
    statement = statement.where(Enrolment.state.in_(HOLDS_PLACE))
    if audience is Audience.ENROLLED or meeting is None:
        return statement
    present = exists().where(Attendance.course_session_id == meeting.id, Attendance.enrolment_id == Enrolment.id)
    return statement.where(present if audience is Audience.PRESENT else ~present)


def _channel(enrolment: Enrolment) -> Channel | None:
    addresses = recipients.of_enrolment(enrolment).addresses
    return next((address.channel for address in addresses if owing.is_served(address.channel, MESSAGE)), None)


def _demand_text(text: str) -> None:
    if not text or len(text) > LONGEST:
        raise DomainError("message_text", N_("Write the message, up to 1,000 characters."), status=422, field="text")


def _demand_session(offering: Offering, audience: Audience, meeting: CourseSession | None) -> None:
    """Refuse a session that does not fit the audience: of another class, or one that has not begun."""
    refused = DomainError(
        "message_session", N_("Choose a session that has begun, to tell who was there."), status=422, field="meeting"
    )
    if audience not in OF_SESSION:
        if meeting is not None:
            raise refused
    elif meeting is None or meeting.offering_id != offering.id or meeting.starts_at > clock.now():
        raise refused


def _sent_today(db: Session, offering_id: int) -> int:
    statement = select(func.count()).where(
        ClassMessage.offering_id == offering_id, ClassMessage.sent_at > clock.now() - timedelta(days=1)
    )
    return db.scalar(statement) or 0


def _owe(db: Session, message: ClassMessage, offering: Offering, enrolment: Enrolment) -> None:
    course, host = offering.course, offering.organisation
    subjects, frames = [], []
    for translate, course_name, host_name in (
        (chinese().gettext, course.name_zh, host.name_zh),
        (str, course.name_en or course.name_zh, host.name_en or host.name_zh),
    ):
        subjects.append(translate(_SUBJECT) % {"course": course_name})
        frames.append((translate(_INTRODUCTION) % {"host": host_name, "course": course_name}, translate(_WAY)))
    introduction = LANGUAGE_SEPARATOR.join(frame for frame, _way in frames)
    ways = " / ".join(way for _frame, way in frames)
    owing.owe(
        db,
        MESSAGE,
        recipients.of_enrolment(enrolment),
        subject=" / ".join(subjects),
        text=f"{enrolment.trainee.name}:\n\n{introduction}\n\n{message.text}\n\n{ways}\n{owing.SITE}/tickets/{enrolment.ticket}",
        parameters={"course": course.name_zh, "ticket": enrolment.ticket},
        key=_key(message.id, enrolment.id),
    )
