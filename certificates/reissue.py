"""Reissue: corrects a certificate with a misspelt name or another wrong fact, by a new certificate and with a reason.

Only the worker can sign, so a correction is a row that is owed (`ReissueRequest`), taken with `SKIP LOCKED` like owed
enrolments: any number of workers, killed at any moment, make exactly one replacement. The replacement has a new serial
and number and is issued today; it ends on the day on which the old one ends. The person-time ledger does not count it
as another certificate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import documents, holder_notices, rendering, signing, states
from certificates.branch import Branch
from certificates.events import ReissueOwed, StatusChanged
from certificates.models import Certificate, ReissueRequest
from certificates.signing import Draft, Issued
from certificates.states import State
from courses.enrolment import name_writings, trainees
from courses.enrolment.trainees import NAME_LIMIT, TraineeFacts
from courses.models.catalogue import Programme
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.core import audit, clock, fonts, names
from lms.core.errors import N_, DomainError
from lms.core.events import publish
from lms.core.masks import mask_name, without_names
from lms.core.scope import Scope

log = structlog.get_logger(__name__)

CHUNK = 50
MAX_HOURS = 999
# The printed facts that a correction may change. The others come from the offering and cannot be wrong for one person.
FACTS = ("hours", "instructor", "instructor_registration")


@dataclass(frozen=True, slots=True)
class Correction:
    """The correct texts: the holder's name, which the trainee's record takes over, and printed facts (of `FACTS`).

    as_writing: no font has a character of the record's name, and `holder_name` is the writing that the holder chose instead.
    The record keeps its name then.
    """

    holder_name: str
    facts: Mapping[str, str]
    as_writing: bool = False


def refusal(certificate: Certificate, today: date) -> DomainError | None:
    """Return the reason why this certificate cannot be reissued, or None when it can."""
    if certificate.erased_content is not None:
        return DomainError(
            "certificate_erased", N_("The holder's data was erased. This certificate can no longer be corrected.")
        )
    state = states.of_certificate(certificate, today)
    if state is State.REVOKED:
        return DomainError(
            "reissue_revoked", N_("This certificate is revoked. Undo the revocation first, if it was a mistake.")
        )
    if state is State.SUPERSEDED:
        return DomainError(
            "reissue_superseded", N_("This certificate has already been replaced. Correct the newer one.")
        )
    if state is State.EXPIRED:
        return DomainError("reissue_expired", N_("This certificate has expired. A refresher renews it."))
    return None


def request(
    db: Session, certificate: Certificate, correction: Correction, reason: str, *, branch: Branch, scope: Scope
) -> ReissueRequest:
    """Record that a corrected certificate is owed. The caller has locked the certificate's row.

    Raises DomainError when the certificate is not in force, when nothing would change, when no font has a character of a
    text, when a fact is not valid, or when another correction of it is owed already; and Denied for a new name where the
    scope may not change the person.
    """
    refused = refusal(certificate, clock.today(branch.zone))
    if refused is not None:
        raise refused
    name = names.clean(correction.holder_name)
    if not any(letter.isalpha() for letter in name) or len(name) > NAME_LIMIT:
        raise DomainError("name_wrong", N_("Enter the name as it should be printed."), status=422, field="holder_name")
    changed = _changed(certificate, correction.facts)
    for field, text in {"holder_name": name, **changed}.items():
        name_writings.demand_printable(text, field)
    _demand_room(certificate, name, changed, branch, card=correction.as_writing)
    if name == certificate.holder_name and not changed:
        raise DomainError(
            "reissue_nothing", N_("Nothing would change. First correct what is wrong on the certificate."), status=422
        )
    trainee = certificate.enrolment.trainee
    if correction.as_writing:
        name_writings.record(db, certificate.enrolment, name, reason, issued_before=True)
    elif name != trainee.name and name != holds_writing(db, certificate):
        facts = TraineeFacts(name=name, birth_year=trainee.birth_year, guardian_name=trainee.guardian_name)
        trainees.change(db, trainee, facts, scope, reason=reason)
    reissue_request = ReissueRequest(
        certificate_id=certificate.id,
        holder_name=name,
        facts=changed,
        reason=reason,
        requested_at=clock.now(),
        requested_by=audit.actor(db),
    )
    db.add(reissue_request)
    db.flush()
    audit.record(
        db,
        "certificate.correct",
        certificate,
        before={"name": mask_name(certificate.holder_name)} | {fact: certificate.facts.get(fact) for fact in changed},
        after={"name": mask_name(name)} | changed,
        reason=without_names(reason, certificate.holder_name, name),
    )
    publish(db, ReissueOwed())
    return reissue_request


def _demand_room(
    certificate: Certificate, name: str, changed: Mapping[str, str], branch: Branch, *, card: bool
) -> None:
    """Refuse texts for which the paper has no room: the page of A4, and for a writing, which is a choice, the card too.

    Raises DomainError `certificate_too_long`.
    """
    texts: dict[str, Any] = {"holder": name, **changed}
    if "hours" in changed:
        texts["hours"] = Decimal(changed["hours"])
    if name != certificate.holder_name:
        texts["second_name"] = None  # it is a writing of the former name
    corrected = replace(documents.document_of(certificate, branch), **texts)
    rendering.render(corrected)
    refused = rendering.card_refusal(corrected) if card else None
    if refused is not None:
        raise refused


def holds_writing(db: Session, certificate: Certificate) -> str | None:
    """The writing of the holder's name that a certificate prints as long as no font can print the name itself."""
    enrolment = certificate.enrolment
    if not fonts.unprintable(enrolment.trainee.name):
        return None
    return name_writings.chosen(db, {enrolment.id: enrolment.trainee.name}).get(enrolment.id)


def _changed(certificate: Certificate, facts: Mapping[str, str]) -> dict[str, str]:
    """Return those of the facts that differ from the certificate."""
    changed = {}
    for fact in FACTS:
        if fact not in facts:
            continue
        value = " ".join(facts[fact].split())
        if fact == "hours":
            value = _hours(value)
            if Decimal(value) == Decimal(certificate.facts["hours"]):
                continue
        if value != certificate.facts.get(fact):
            changed[fact] = value
    return changed


def _hours(value: str) -> str:
    wrong = DomainError(
        "hours_wrong", N_("Enter class hours as a number, such as 16 or 7.5."), status=422, field="hours"
    )
    try:
        hours = Decimal(value)
    except ArithmeticError:
        raise wrong from None
    if not hours.is_finite() or not 0 < hours <= MAX_HOURS or hours != round(hours, 1):
        raise wrong
    return f"{hours:.1f}"


def open_request(db: Session, certificate_id: int) -> ReissueRequest | None:
    """Return the correction of a certificate that is still owed, if there is one."""
    return db.scalars(
        select(ReissueRequest).where(
            ReissueRequest.certificate_id == certificate_id,
            ReissueRequest.replacement_id.is_(None),
            ReissueRequest.dropped_at.is_(None),
        )
    ).one_or_none()


def issue_owed(db: Session, branch: Branch, *, limit: int = CHUNK) -> int:
    """Make at most `limit` corrected certificates that no other worker holds, and return the number of requests dealt
    with.

    The caller commits at once: from the last step until the commit, no other transaction can append to the ledger.
    Raises DomainError when the signing key is missing; then everything stays owed. A request whose certificate was
    revoked, replaced or has expired in the meantime is dropped, and the audit trail says so.
    """
    requests = db.scalars(
        select(ReissueRequest)
        .where(ReissueRequest.replacement_id.is_(None), ReissueRequest.dropped_at.is_(None))
        .order_by(ReissueRequest.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    if not requests:
        return 0
    rows = _with_certificates(db, requests)
    today = clock.today(branch.zone)
    accepted = []
    for reissue_request, old, short_code in rows:
        refused = refusal(old, today)
        if refused is None:
            accepted.append((reissue_request, old, short_code))
        else:
            _drop(db, reissue_request, old, refused)
    if accepted:
        _replace(db, accepted, branch)
    db.flush()
    return len(rows)


def _replace(db: Session, accepted: list[tuple[ReissueRequest, Certificate, str]], branch: Branch) -> None:
    signer = signing.lock_key(db, branch)
    replacements = signing.sign_and_insert(db, branch, signer, [_draft(*entry) for entry in accepted])
    for (reissue_request, old, _code), new in zip(accepted, replacements, strict=True):
        reissue_request.replacement_id = new.id
        _audit(db, reissue_request, old, new)
    olds = [old for _request, old, _code in accepted]
    holder_notices.tell_corrected(db, list(zip(olds, replacements, strict=True)), branch.contact)
    signing.record_in_ledger(db, replacements)
    publish(db, StatusChanged())
    log.info("certificates_reissued", count=len(replacements), key_number=signer.key_number)


def _draft(reissue_request: ReissueRequest, old: Certificate, short_code: str) -> Draft:
    return Draft(
        enrolment_id=old.enrolment_id,
        holder=reissue_request.holder_name,
        short_code=short_code,
        certificate_type=old.certificate_type,
        unit=old.unit,
        valid_until=old.valid_until,
        facts=old.facts | reissue_request.facts,
        replaces_id=old.id,
        reason=_masked_reason(reissue_request, old),
        asked_by=reissue_request.requested_by,
    )


def _with_certificates(
    db: Session, requests: Sequence[ReissueRequest]
) -> list[tuple[ReissueRequest, Certificate, str]]:
    """Lock the certificates of the requests.

    The holders are locked first, in the order that `renewal.renew` uses, so that the two cannot deadlock.
    """
    certificate_ids = [reissue_request.certificate_id for reissue_request in requests]
    db.execute(
        select(Trainee.id)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .join(Certificate, Certificate.enrolment_id == Enrolment.id)
        .where(Certificate.id.in_(certificate_ids))
        .order_by(Trainee.id)
        .with_for_update(of=Trainee, key_share=True)
    )
    rows = db.execute(
        select(Certificate, Programme.short_code)
        .join(Programme, Programme.code == Certificate.facts["programme"].astext)
        .where(Certificate.id.in_(certificate_ids))
        .order_by(Certificate.id)
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    )
    by_id = {certificate.id: (certificate, short_code) for certificate, short_code in rows}
    return [(reissue_request, *by_id[reissue_request.certificate_id]) for reissue_request in requests]


def _drop(db: Session, reissue_request: ReissueRequest, old: Certificate, why: DomainError) -> None:
    reissue_request.dropped_at = clock.now()
    audit.record(
        db, "certificate.drop_correction", old, after={"why": why.code}, reason=_masked_reason(reissue_request, old)
    )


def _audit(db: Session, reissue_request: ReissueRequest, old: Certificate, new: Issued) -> None:
    """Record the reissue in the audit trail under the user who asked for the correction."""
    worker = audit.actor(db)
    audit.act_as(db, reissue_request.requested_by)
    audit.record(
        db,
        "certificate.reissue",
        old,
        before={"number": old.number},
        after={"superseded_by": new.id, "number": new.number},
        reason=_masked_reason(reissue_request, old),
    )
    audit.act_as(db, worker)


def _masked_reason(reissue_request: ReissueRequest, old: Certificate) -> str | None:
    return without_names(reissue_request.reason, old.holder_name, reissue_request.holder_name)
