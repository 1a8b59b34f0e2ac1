"""Sending several holders the address of their own pages again: what would happen to each, and then one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.models import Certificate
from courses.enrolment import mail
from courses.enrolment.mail import SentAgain
from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, visible

MAX_CERTIFICATES = 200


@dataclass(frozen=True)
class SendRow:
    """A holder, by the enrolment of the certificates that were chosen, and what becomes of the message."""

    enrolment: Enrolment
    holder: str
    numbers: tuple[str, ...]
    sent: SentAgain


def preview(db: Session, certificate_ids: Sequence[int], scope: Scope) -> list[SendRow]:
    """Return what would become of each holder's message now; nothing is sent. Raises DomainError `nobody_chosen`."""
    return _rows(db, certificate_ids, scope, mail.foresee_link)


def send(db: Session, certificate_ids: Sequence[int], scope: Scope) -> list[SendRow]:
    """Send the messages, within the limits that hold for one person. Raises DomainError `nobody_chosen`."""
    return _rows(db, certificate_ids, scope, mail.send_link)


def _rows(
    db: Session, certificate_ids: Sequence[int], scope: Scope, act: Callable[[Session, Enrolment], SentAgain]
) -> list[SendRow]:
    """Act for each enrolment once, also where several of its certificates were chosen. Ids out of the scope are left out."""
    columns: tuple[Any, ...] = (Certificate, Enrolment)
    statement = (
        visible(select(*columns), Certificate, scope)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(
            Certificate.id.in_(certificate_ids[:MAX_CERTIFICATES]),
            Certificate.erased_content.is_(None),
            Enrolment.state != EnrolmentState.CANCELLED,
        )
        .order_by(Certificate.id.desc())
    )
    chosen: dict[int, tuple[Enrolment, list[Certificate]]] = {}
    for certificate, enrolment in db.execute(statement):
        chosen.setdefault(enrolment.id, (enrolment, []))[1].append(certificate)
    if not chosen:
        raise DomainError("nobody_chosen", N_("Choose at least one certificate of the list."), status=422)
    return [
        SendRow(enrolment, certificates[0].holder_name, tuple(row.number for row in certificates), act(db, enrolment))
        for enrolment, certificates in chosen.values()
    ]
