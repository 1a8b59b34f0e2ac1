"""Notices to holders: a certificate was issued, renewed, corrected or revoked, or its revocation ended.

A notice is owed in the transaction of its cause, so a worker that is killed takes both with it, and the key of each act
makes a notice that is owed twice one message. Whom nothing reaches is called after a correction or a revocation; an issued
certificate is handed out in the class, and nobody is called for that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import holder_texts
from certificates.holder_texts import CORRECTED, ISSUED, RENEWED, RESTORED, REVOKED, HolderMessage
from certificates.models import Certificate
from certificates.signing import Issued
from courses.enrolment import recipients
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.core import audit, clock
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Purpose

# Of an offering that was closed longer ago, nobody is told of an issue, unless it was corrected meanwhile.
TOLD_FOR = timedelta(days=180)


def tell_issued(db: Session, issued: Sequence[Issued], former: Mapping[int, str]) -> None:
    """Tell the holders of new certificates whom some message reaches. Two statements for a whole chunk.

    former: by the id of a certificate that renews another one, the number of that one. Nobody is told of a certificate of an
    offering that was closed half a year ago and not corrected since: whoever catches up on years of certificates must not send
    thousands of messages.
    """
    by_enrolment = {certificate.draft.enrolment_id: certificate for certificate in issued}
    day = clock.branch_today()
    people = list(recipients.reachable(db, by_enrolment))
    recent = _recent(db, {enrolment.offering for enrolment, _recipient in people})
    drafts = []
    for enrolment, recipient in people:
        certificate = by_enrolment[enrolment.id]
        purpose = RENEWED if certificate.id in former else ISSUED
        if enrolment.offering_id not in recent or not owing.can_reach(purpose, recipient):
            continue
        message = HolderMessage(
            purpose,
            certificate.draft.holder,
            certificate.number,
            certificate.draft.facts,
            certificate.draft.valid_until,
            enrolment.ticket,
            day,
            former=former.get(certificate.id, ""),
        )
        drafts.append(holder_texts.draft(message, replace(recipient, name=message.name), _key(purpose, certificate.id)))
    owing.owe_many(db, drafts)


def tell_corrected(db: Session, pairs: Sequence[tuple[Certificate, Issued]], contact: str | None) -> None:
    """Tell holders that a new certificate corrects theirs.

    pairs: the former certificate and the new one. contact: whom the holder asks; None for the host of the training.
    """
    drafts = []
    for old, new in pairs:
        message = HolderMessage(
            CORRECTED,
            new.draft.holder,
            new.number,
            new.draft.facts,
            new.draft.valid_until,
            old.enrolment.ticket,
            clock.branch_today(),
            former=old.number,
            contact=contact,
        )
        recipient = replace(recipients.of_enrolment(old.enrolment), name=message.name)
        drafts.append(holder_texts.draft(message, recipient, _key(CORRECTED, new.id)))
    owing.owe_many(db, drafts)


def tell_revoked(db: Session, certificate: Certificate, contact: str | None) -> None:
    """Tell the holder of a certificate that was revoked at `revoked_at`, with the reason. contact: as in `tell_corrected`."""
    if certificate.revoked_at is not None:
        _tell(db, REVOKED, certificate, certificate.revoked_at, contact)


def tell_restored(db: Session, certificate: Certificate, contact: str | None) -> None:
    """Tell the holder that the revocation of `revoked_at` ends. The caller has not cleared the row yet.

    Where the holder still stands on the list of people to call about the revocation, neither is told any more.
    """
    moment = certificate.revoked_at
    if moment is not None and not withdraw_call(db, _key(REVOKED, certificate.id, moment)):
        _tell(db, RESTORED, certificate, moment, contact)


def _tell(db: Session, purpose: Purpose, certificate: Certificate, revoked_at: datetime, contact: str | None) -> None:
    enrolment = certificate.enrolment
    if certificate.erased_content is not None or enrolment.trainee.erased_at is not None:
        return
    message = HolderMessage(
        purpose,
        certificate.holder_name,
        certificate.number,
        certificate.facts,
        certificate.valid_until,
        enrolment.ticket,
        clock.branch_today(),
        reason=certificate.revoke_reason or "",
        contact=contact,
    )
    recipient = replace(recipients.of_enrolment(enrolment), name=message.name)
    owing.owe_many(db, [holder_texts.draft(message, recipient, _key(purpose, certificate.id, revoked_at))])


def _key(purpose: Purpose, certificate_id: int, moment: datetime | None = None) -> str:
    """The key of an act: a certificate may be revoked several times."""
    return f"{purpose.code}:{certificate_id}" + (f":{moment.timestamp():.6f}" if moment is not None else "")


def withdraw_call(db: Session, key: str) -> bool:
    """Take a message off the list of people to call, and return whether it stood there."""
    to_call = select(Message).where(Message.key == key, Message.state == MessageState.TO_CALL)
    message = db.scalars(to_call.with_for_update()).one_or_none()
    if message is None:
        return False
    message.state, message.reason = MessageState.ASIDE, "not_needed"
    message.settled_at, message.settled_by = clock.now(), audit.actor(db)
    return True


def _recent(db: Session, offerings: Collection[Offering]) -> set[int]:
    """The ids of the offerings of whose certificates the holders are told (`TOLD_FOR`)."""
    since = clock.now() - TOLD_FOR
    recent = {offering.id for offering in offerings if offering.closed_at is None or offering.closed_at >= since}
    old = [offering.id for offering in offerings if offering.id not in recent]
    if old:
        corrected = select(PersonTimeEntry.offering_id).where(
            PersonTimeEntry.offering_id.in_(old),
            PersonTimeEntry.kind.in_([EntryKind.CORRECTION, EntryKind.ADJUSTMENT]),
            PersonTimeEntry.recorded_at >= since,
        )
        recent.update(db.scalars(corrected))
    return recent
