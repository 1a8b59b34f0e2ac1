"""Training requests: an organisation asks its district for a training, and the district makes a draft offering of it.

A visitor sees nothing of the register of organisations: the name is typed, and staff choose the host.
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.models.training_requests import ContactPerson, RequestState, TrainingRequest
from courses.offerings import hosts, offerings, training_request_mail
from courses.offerings.offerings import OfferingPlan
from lms.core import audit, clock, reasons
from lms.core.errors import N_, DomainError
from lms.core.paging import Page, page_of
from lms.core.scope import CACHED_STATEMENTS, Scope, fetch, visible
from lms.organisations import register
from lms.organisations.models import District, Organisation, Sector
from lms.organisations.register import OrganisationFacts

MAX_PEOPLE = 2000


@dataclass(frozen=True)
class RequestedTraining:
    """A training as a visitor asks for it. days: the wished days in words. place: None for a place that staff find."""

    organisation_name: str
    district_id: int
    course_id: int
    people: int
    days: str
    place: str | None
    contact: ContactPerson


def ask(
    db: Session,
    training: RequestedTraining,
    *,
    language: str,
    privacy_version: int,
    form_hash: bytes | None,
    tell: bool = True,
) -> TrainingRequest | None:
    """Store a request and send its receipt (with `tell`). A form that was sent before gives None, and nothing happens.

    Raises DomainError `course_not_offered`, `district_unknown`, `no_contact` and `people`.
    """
    course = db.get(Course, training.course_id)
    if course is None or not course.active:
        raise DomainError("course_not_offered", N_("This course is no longer offered."), field="course_id")
    if db.get(District, training.district_id) is None:
        raise DomainError("district_unknown", N_("Choose the district."), field="district_id")
    if not (training.contact.phone or training.contact.email):
        raise DomainError(
            "no_contact",
            N_("Enter a phone number or an e-mail address, so that the district can answer."),
            field="phone",
        )
    if not 1 <= training.people <= MAX_PEOPLE:
        raise DomainError("people", N_("Enter a number from 1 to %(most)s."), field="people", most=MAX_PEOPLE)
    ref = uuid4()
    stored = db.scalar(
        insert(TrainingRequest)
        .values(
            ref=ref,
            district_id=training.district_id,
            course_id=course.id,
            organisation_name=training.organisation_name,
            people=training.people,
            days=training.days,
            place=training.place,
            content=training.contact.sealed(ref),
            language=language,
            privacy_version=privacy_version,
            form_hash=form_hash,
            asked_at=clock.now(),
            state=RequestState.OPEN,
        )
        .on_conflict_do_nothing(index_elements=["form_hash"])  # waits for whoever stores the same form
        .returning(TrainingRequest.id)
    )
    if stored is None:
        return None
    request = db.get_one(TrainingRequest, stored)
    if tell:
        training_request_mail.send_receipt(db, request)
    return request


def is_new(db: Session, form_hash: bytes | None) -> bool:
    """Tell whether a form was not stored before."""
    if form_hash is None:
        return True
    return db.scalar(select(TrainingRequest.id).where(TrainingRequest.form_hash == form_hash)) is None


def listing(db: Session, scope: Scope, state: RequestState | None, page: int) -> Page[TrainingRequest]:
    """A page of the requests in the scope, the latest first; the open ones the longest waiting first."""
    statement = visible(select(TrainingRequest), TrainingRequest, scope).options(
        joinedload(TrainingRequest.course), joinedload(TrainingRequest.district)
    )
    if state is not None:
        statement = statement.where(TrainingRequest.state == state)
    newest = state is not RequestState.OPEN
    return page_of(db, statement.order_by(TrainingRequest.id.desc() if newest else TrainingRequest.id), page)


def count_open(db: Session, scope: Scope) -> int:
    """The number of requests in the scope that nobody has decided."""
    return db.scalar(counting_open(scope.reach)) or 0


def of_offering(db: Session, offering_id: int) -> TrainingRequest | None:
    """The request from which an offering was made."""
    return db.scalars(select(TrainingRequest).where(TrainingRequest.offering_id == offering_id).limit(1)).one_or_none()


def suggest_host(db: Session, request: TrainingRequest, scope: Scope) -> str | None:
    """The label of the organisation of the register that has the typed name in the request's district, if exactly one has."""
    named_alike = db.scalars(
        visible(select(Organisation), Organisation, scope)
        .where(
            Organisation.active,
            Organisation.district_id == request.district_id,
            func.lower(Organisation.name_zh) == request.organisation_name.lower(),
        )
        .limit(2)
    ).all()
    return hosts.labels(named_alike)[0] if len(named_alike) == 1 else None


def accept(
    db: Session,
    request_id: int,
    scope: Scope,
    *,
    host: str | None,
    new_host: Sector | None = None,
    zone: ZoneInfo,
) -> Offering:
    """Make a draft offering of a request, and tell the person who asked.

    host: the organisation of the register as a planner types it. new_host: the sector of a new organisation with the name
    that was typed, which is entered in the request's district, instead. The draft is by invitation, because it is for the
    organisation's own people. Raises DomainError as `hosts.find`, `register.add` and `offerings.schedule` do, and
    `already_decided`.
    """
    request = _open_request(db, request_id, scope)
    if new_host is not None:
        facts = OrganisationFacts(request.organisation_name, None, request.district_id, new_host)
        organisation = register.add(db, facts, scope)
    else:
        organisation = hosts.find(db, host or "", scope)
    plan = OfferingPlan(
        course_id=request.course_id,
        organisation_id=organisation.id,
        place=request.place or organisation.name_zh,
        sessions=(),
        capacity=request.people,
        by_invitation=True,
    )
    offering = offerings.schedule(db, plan, scope=scope, zone=zone)
    request.offering_id = offering.id
    _decide(db, request, RequestState.ACCEPTED)
    audit.record(db, "training_request.accept", request, after={"offering": offering.id})
    training_request_mail.send_acceptance(db, request)
    return offering


def decline(db: Session, request_id: int, scope: Scope, reason: str | None, *, tell: bool = True) -> TrainingRequest:
    """Decline a request, and tell the person who asked, unless the request is no real one (`tell`).

    Raises DomainError `reason_missing` and `already_decided`.
    """
    request = _open_request(db, request_id, scope)
    reason = reasons.required(reason, N_("Enter a reason. Whoever asked will read it."))
    _decide(db, request, RequestState.DECLINED, reason)
    audit.record(db, "training_request.decline", request, reason=reason)
    if tell:
        training_request_mail.send_decline(db, request)
    return request


@lru_cache(CACHED_STATEMENTS)
def counting_open(scope: Scope) -> Select[int]:
    """The SELECT of `count_open`. scope: a `Scope.reach`."""
    waiting = select(func.count()).select_from(TrainingRequest).where(TrainingRequest.state == RequestState.OPEN)
    return visible(waiting, TrainingRequest, scope)


def _open_request(db: Session, request_id: int, scope: Scope) -> TrainingRequest:
    request = fetch(db, TrainingRequest, request_id, scope, lock=True)
    if request.state is not RequestState.OPEN:
        raise DomainError("already_decided", N_("Somebody has decided this request already."), status=409)
    return request


def _decide(db: Session, request: TrainingRequest, state: RequestState, answer: str | None = None) -> None:
    request.state, request.answer = state, answer
    request.decided_at, request.decided_by = clock.now(), audit.actor(db)
    db.flush()
