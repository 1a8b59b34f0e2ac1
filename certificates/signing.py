"""Signing: turns drafts into certificates with serial, number, signed code, database row, audit entry and ledger entry.

`issuing` and `reissue` decide which certificates are due and hand over a whole chunk of drafts. A chunk of any size
costs a few statements, and the slow name tags are computed on all cores.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from certificates import ledger
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate
from certificates.payload import Payload, encode, name_tag
from lms.core import audit, clock

PAYLOAD_BYTES = 82
_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Draft:
    """A certificate before it has a number.

    `short_code` is the programme's part of the number; `facts` are the other texts on the certificate. For a
    correction, `replaces_id` is the certificate that this one replaces, `reason` the reason, and `asked_by` the user
    who asked for it.
    """

    enrolment_id: int
    holder: str
    short_code: str
    certificate_type: int
    unit: int
    valid_until: date | None
    facts: dict[str, Any]
    replaces_id: int | None = None
    reason: str | None = None
    asked_by: int | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs today. The transaction holds a lock on it, so the key cannot be retired before the commit."""

    key_number: int
    private: Ed25519PrivateKey
    day: date


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was made from a draft; `payload` is the signed code, 82 bytes."""

    id: int
    serial: int
    number: str
    payload: bytes
    draft: Draft


def lock_key(db: Session, branch: Branch) -> Signer:
    """Lock the key that signs today in the branch's time zone. Raises the DomainErrors of `qr_keys.for_signing`."""
    day = clock.today(branch.zone)
    key_number, private = qr_keys.for_signing(db, branch.keys_dir, day)
    return Signer(key_number, private, day)


def sign_and_insert(db: Session, branch: Branch, signer: Signer, drafts: Sequence[Draft]) -> list[Issued]:
    """Sign these certificates and insert their rows, in this order, issued on the signer's day.

    The certificates are complete only after `record_in_ledger`.
    """
    issued = _sign(branch, signer, list(zip(_draw_numbers(db, len(drafts)), drafts, strict=True)))
    _insert(db, signer, issued)
    return issued


def record_in_ledger(db: Session, issued: Sequence[Issued]) -> None:
    """Append the certificates to the ledger.

    This is the last step of a transaction: from here until the commit, no other transaction can append to the ledger.
    """
    db.flush()
    ledger.append(db, [(certificate.id, certificate.payload) for certificate in issued])


def _draw_numbers(db: Session, count: int) -> list[tuple[int, int]]:
    """Draw an id and a serial for each certificate from the database's sequences. A rolled-back chunk leaves its
    numbers unused.
    """
    drawn = db.execute(
        text(
            "SELECT nextval(pg_get_serial_sequence('certificate', 'id')) AS id,"
            " nextval(pg_get_serial_sequence('certificate', 'serial')) AS serial FROM generate_series(1, :count)"
        ),
        {"count": count},
    ).all()
    ids, serials = sorted(row.id for row in drawn), sorted(row.serial for row in drawn)
    return list(zip(ids, serials, strict=True))


def _sign(branch: Branch, signer: Signer, numbered: list[tuple[tuple[int, int], Draft]]) -> list[Issued]:
    """Make the signed codes.

    The name tags are slow on purpose; they are computed without Python's global lock, so threads share the work.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        tags = list(pool.map(lambda pair: name_tag(pair[1].holder, pair[0][1]), numbered))
    issued = []
    for ((identity, serial), draft), tag in zip(numbered, tags, strict=True):
        payload = Payload(
            key_number=signer.key_number,
            certificate_type=draft.certificate_type,
            unit=draft.unit,
            serial=serial,
            issued_on=signer.day,
            valid_until=draft.valid_until,
            name_tag=tag,
        )
        issued.append(
            Issued(
                id=identity,
                serial=serial,
                number=branch.scheme.compose(draft.short_code, signer.day.year, serial),
                payload=int(encode(payload, signer.private.sign)).to_bytes(PAYLOAD_BYTES, "big"),
                draft=draft,
            )
        )
    return issued


def _insert(db: Session, signer: Signer, issued: list[Issued]) -> None:
    now = clock.now()
    replaced = [
        {"id": certificate.draft.replaces_id, "superseded_by_id": certificate.id}
        for certificate in issued
        if certificate.draft.replaces_id is not None
    ]
    if replaced:
        # The old certificate is superseded first: a unique index allows one certificate in force per enrolment.
        db.execute(update(Certificate), replaced)
    db.execute(
        insert(Certificate),
        [
            {
                "id": certificate.id,
                "serial": certificate.serial,
                "number": certificate.number,
                "enrolment_id": certificate.draft.enrolment_id,
                "holder_name": certificate.draft.holder,
                "certificate_type": certificate.draft.certificate_type,
                "unit": certificate.draft.unit,
                "issued_on": signer.day,
                "valid_until": certificate.draft.valid_until,
                "key_number": signer.key_number,
                "payload": certificate.payload,
                "facts": certificate.draft.facts,
                "issued_at": now,
                "replaces_id": certificate.draft.replaces_id,
            }
            for certificate in issued
        ],
    )
    db.execute(
        insert(audit.AuditEntry),
        [
            {
                "at": now,
                "user_id": certificate.draft.asked_by if certificate.draft.asked_by is not None else audit.actor(db),
                "action": "certificate.issue",
                "subject": f"certificate:{certificate.id}",
                "after": {
                    "number": certificate.number,
                    "enrolment": certificate.draft.enrolment_id,
                    "issued_on": signer.day.isoformat(),
                },
                "reason": certificate.draft.reason,
            }
            for certificate in issued
        ],
    )
