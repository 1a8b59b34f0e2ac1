"""Erasing a person: the data goes, and totals, the facts of certificates and the audit trail stay.

Every package that registered personal data (`lms.core.personal_data`) erases its own part. All rows of the person are locked
first, without waiting for one while another is held, so that an erasure cannot deadlock with whoever works on the person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from courses.enrolment import record_notices, trainees
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.privacy import ErasureRequest, ErasureState
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import audit, clock, personal_data, reasons, retention_rules
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import without_names
from lms.core.messages import owing
from lms.core.messages.owing import Purpose, Recipient
from lms.core.personal_data import Erased, Subject
from lms.core.retention_rules import RetentionKind

ERASED = Purpose("data_erased", N_("Data erased"), called=False)
_SUBJECT = N_("Your training data was erased")
_TEXT = N_(
    "The personal data of your training record was erased. What stays is figures that name nobody, and the fact whether a"
    " certificate is valid. An account that was only for your trainings is closed."
)
_REFUSED = N_("Your data was not erased.")
BATCH = 20  # people of one transaction of the nightly job


@dataclass(frozen=True)
class ErasurePreview:
    """The result that an erasure would have now. rows: by the code of the kind. remains: codes of what stays."""

    obstacles: Sequence[str]
    rows: Mapping[str, int] = field(default_factory=dict)
    remains: Sequence[str] = ()
    files_until: date | None = None


def subject_of(trainee: Trainee) -> Subject:
    """The person of a record, with the records that were merged into it."""
    return Subject(trainee.id, trainee.user_id, tuple(row.id for row in trainee.merged_records))


def preview(db: Session, trainee: Trainee) -> ErasurePreview:
    """The result of an erasure, exactly: it is done within a savepoint and taken back."""
    subject = subject_of(trainee)
    found = personal_data.obstacles(db, subject)
    savepoint = db.begin_nested()
    try:
        results = personal_data.erase(db, subject)
    finally:
        savepoint.rollback()
        db.expire_all()
    return ErasurePreview(found, _rows(results), _remains(results), _files_until(db))


def erase(db: Session, trainee_id: int, *, reason: str | None) -> Mapping[str, int]:
    """Erase a person, and close the person's request. Returns the number of rows by kind.

    Raises NotFound; DomainError `reason_missing`, `erased_already`, `not_erasable` while something is open, and `person_busy`
    while somebody works on the person.
    """
    reason = reasons.required(reason)
    trainee = _lock(db, trainee_id)
    subject = subject_of(trainee)
    if personal_data.obstacles(db, subject):
        raise DomainError(
            "not_erasable", N_("Nothing was erased: something about this person is still open. See below.")
        )
    name, contacts = trainee.name, [contact for contact in record_notices.contacts_of(trainee) if contact.proven]
    addresses = tuple(contact.address for contact in contacts)
    results = personal_data.erase(db, subject)
    request = open_request(db, trainee_id)
    if request is not None:
        close(db, request, ErasureState.DONE)
    rows = _rows(results)
    audit.record(db, "trainee.erase", f"trainee:{trainee_id}", after={"rows": rows}, reason=without_names(reason, name))
    if addresses:  # names nobody and belongs to nobody: its content goes when it is sent, or after three days
        text = record_notices.in_both(_TEXT)
        recipient = Recipient(None, "", addresses)
        owing.owe(
            db, ERASED, recipient, subject=record_notices.in_both(_SUBJECT, " / "), text=text, lives=timedelta(days=3)
        )
    return rows


def _lock(db: Session, trainee_id: int) -> Trainee:
    """Lock the person against registration, the record, its account and its enrolments."""
    trainee = db.get(Trainee, trainee_id, populate_existing=True)
    if trainee is None:
        raise NotFound
    if trainee.erased_at is None:
        trainees.lock_people(db, [trainees.facts_of(trainee)])
    indexes = (trainee.phone_index, trainee.id_number_index)
    locked = db.scalars(
        select(Trainee)
        .where(Trainee.id == trainee_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if locked is not None and locked.erased_at is not None:
        raise DomainError("erased_already", N_("The data of this person has already been erased."))
    if locked is None or indexes != (locked.phone_index, locked.id_number_index):
        raise _busy()
    merged = [row.id for row in locked.merged_records]
    _lock_all(db, select(Trainee).where(Trainee.id.in_(merged)))
    _lock_all(db, select(Enrolment).where(Enrolment.trainee_id.in_([trainee_id, *merged])))
    if locked.user_id is not None:
        _lock_all(db, select(User).where(User.id == locked.user_id))
    subject = subject_of(locked)
    if not all(kind.lock(db, subject) for kind in personal_data.registered() if kind.lock):
        raise _busy()
    return locked


def _lock_all(db: Session, statement: Select[Any]) -> None:
    """Lock the rows of a SELECT. Raises DomainError `person_busy` where somebody holds one of them."""
    if not personal_data.locked(db, statement):
        raise _busy()


def _busy() -> DomainError:
    return DomainError(
        "person_busy", N_("Nothing was erased: somebody is working on this person just now. Try again in a minute.")
    )


def _rows(results: Mapping[str, Erased]) -> dict[str, int]:
    return {code: result.rows for code, result in results.items() if result.rows}


def _remains(results: Mapping[str, Erased]) -> list[str]:
    return sorted({code for result in results.values() for code in result.remains})


def _files_until(db: Session) -> date | None:
    """The day by which every file of today has been deleted."""
    periods = [retention_rules.period(db, code) for code in ("export", "import")]
    longest = max((period for period in periods if period is not None), default=None)
    return None if longest is None else clock.branch_today() + longest


def ask(db: Session, trainee: Trainee, *, by_staff: bool) -> ErasureRequest:
    """Record that a person asks for the erasure. by_staff: the acting user has the request on paper.

    Raises DomainError `erased_already` and, by the database, `erasure_asked_already`.
    """
    if trainee.erased_at is not None:
        raise DomainError("erased_already", N_("The data of this person has already been erased."))
    if open_request(db, trainee.id) is not None:
        raise DomainError("erasure_asked_already", N_("The erasure of this person's data has already been asked for."))
    row = ErasureRequest(trainee_id=trainee.id, asked_by=audit.actor(db) if by_staff else None)
    db.add(row)
    db.flush()
    audit.record(db, "erasure.ask", f"trainee:{trainee.id}", after={"on_paper": by_staff})
    return row


def open_request(db: Session, trainee_id: int) -> ErasureRequest | None:
    """The request of a person that is not answered yet."""
    return db.scalars(
        select(ErasureRequest).where(ErasureRequest.trainee_id == trainee_id, ErasureRequest.state == ErasureState.OPEN)
    ).one_or_none()


def refuse(db: Session, trainee: Trainee, answer: str | None) -> None:
    """Refuse a person's request with an answer, which the person reads. Raises NotFound and `reason_missing`."""
    request = _lock_request(db, trainee.id)
    request.answer = reasons.required(answer)
    close(db, request, ErasureState.REFUSED)
    record_notices.tell_answer(db, trainee, record_notices.in_both(_REFUSED, " / "), request.answer)


def take_back(db: Session, trainee: Trainee) -> None:
    """Take back an own request. Raises NotFound."""
    close(db, _lock_request(db, trainee.id), ErasureState.WITHDRAWN)


def close(db: Session, request: ErasureRequest, state: ErasureState) -> None:
    """Close a request, with an entry in the audit trail."""
    request.state, request.decided_at, request.decided_by = state, clock.now(), audit.actor(db)
    db.flush()
    audit.record(db, f"erasure.{state}", f"trainee:{request.trainee_id}")


def _lock_request(db: Session, trainee_id: int) -> ErasureRequest:
    request = open_request(db, trainee_id)
    if request is None:
        raise NotFound
    db.refresh(request, with_for_update=True)
    if request.state is not ErasureState.OPEN:
        raise NotFound
    return request


def counting_open() -> Select[Any]:
    """The SELECT that counts the requests that are not answered."""
    return select(func.count(ErasureRequest.id)).where(ErasureRequest.state == ErasureState.OPEN)


def open_requests(db: Session) -> list[ErasureRequest]:
    """The requests that are not answered, the oldest first."""
    return list(
        db.scalars(
            select(ErasureRequest)
            .options(joinedload(ErasureRequest.trainee))
            .where(ErasureRequest.state == ErasureState.OPEN)
            .order_by(ErasureRequest.id)
        )
    )


def _due(before: datetime) -> Select[int]:
    """The records whose last activity is older than a moment and that hold no valid certificate."""
    ended = func.coalesce(Offering.closed_at, Offering.cancelled_at)
    active = (
        select(1)
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(Enrolment.trainee_id == Trainee.id, or_(ended.is_(None), ended > before, Enrolment.created_at > before))
    )
    needed = [kind.needed() for kind in personal_data.registered() if kind.needed]
    signed_in = select(1).where(and_(User.id == Trainee.user_id, User.created_at > before))
    return select(Trainee.id).where(
        Trainee.erased_at.is_(None),
        Trainee.merged_into_id.is_(None),  # erased with the record that it was merged into
        Trainee.created_at <= before,
        ~exists(active),
        ~exists(signed_in),
        ~or_(false(), *needed),
    )


def _count_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(_due(before).subquery())) or 0


def _erase_due(db: Session, before: datetime) -> Iterator[int]:
    """Erase the people whose period is over. Whoever cannot be erased now is left for the next night."""
    last = 0
    while ids := list(db.scalars(_due(before).where(Trainee.id > last).order_by(Trainee.id).limit(BATCH))):
        number = 0
        for trainee_id in ids:
            try:
                with db.begin_nested():
                    erase(db, trainee_id, reason=RETENTION_REASON)
                    number += 1
            except DomainError:  # something is open, or somebody is working on the person
                continue
        last = ids[-1]
        yield number


RETENTION_REASON = "保存期限届满。The period of retention is over."
retention_rules.register(
    RetentionKind(
        "trainee",
        N_("Records of trainees without a valid certificate"),
        N_("the last training was closed"),
        due=_count_due,
        erase=_erase_due,
    )
)
