"""Certificates that a person holds, for ticket pages, rosters and the trainee's own list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from certificates import qualification
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.states import State, state_of
from courses.models.enrolment import Enrolment
from lms.core import clock
from lms.core.errors import N_, NotFound


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """A certificate as its holder sees it. `digits` is the signed code; the page /v/<digits> shows the verification."""

    id: int
    enrolment_id: int
    number: str
    state: State
    issued_on: date
    valid_until: date | None
    digits: str
    course_zh: str
    course_en: str


def of_enrolment(db: Session, enrolment_id: int, *, zone: ZoneInfo) -> HeldCertificate | None:
    """Return the newest certificate of an enrolment, whatever its state.

    Where a refresher of another offering renewed it, the renewed certificate is returned.
    """
    row = db.execute(_held().where(Certificate.enrolment_id == enrolment_id).limit(1)).one_or_none()
    while row is not None and row.superseded_by_id is not None:
        row = db.execute(_held().where(Certificate.id == row.superseded_by_id)).one()
    return _of(row, zone) if row is not None else None


def of_trainee(db: Session, trainee_id: int, *, zone: ZoneInfo) -> Sequence[HeldCertificate]:
    """Return all certificates of a person, newest first."""
    statement = _held().join(Enrolment, Enrolment.id == Certificate.enrolment_id)
    return [_of(row, zone) for row in db.execute(statement.where(Enrolment.trainee_id == trainee_id))]


def of_ticket(db: Session, ticket: str) -> Certificate:
    """Return the newest certificate of the enrolment of this ticket, or the one that renewed it. Raises NotFound."""
    statement = (
        select(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Enrolment.has_ticket(ticket))
        .order_by(Certificate.id.desc())
        .limit(1)
    )
    certificate = db.scalars(statement).one_or_none()
    if certificate is None:
        raise NotFound("no_certificate", N_("There is no certificate for this ticket yet."))
    while certificate.superseded_by is not None:
        certificate = certificate.superseded_by
    return certificate


def _held() -> Select[*tuple[Any, ...]]:
    return select(
        Certificate.id,
        Certificate.enrolment_id,
        Certificate.number,
        Certificate.issued_on,
        Certificate.valid_until,
        Certificate.revoked_at,
        Certificate.superseded_by_id,
        Certificate.payload,
        qualification.column("zh").label("course_zh"),
        qualification.column("en").label("course_en"),
    ).order_by(Certificate.id.desc())


def _of(row: Row[*tuple[Any, ...]], zone: ZoneInfo) -> HeldCertificate:
    return HeldCertificate(
        id=row.id,
        enrolment_id=row.enrolment_id,
        number=row.number,
        state=state_of(
            revoked=row.revoked_at is not None,
            superseded=row.superseded_by_id is not None,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            today=clock.today(zone),
        ),
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        digits=digits_of(row.payload),
        course_zh=row.course_zh,
        course_en=row.course_en,
    )
