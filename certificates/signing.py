"""From a draft to a certificate: serial and number, signed code, row, audit trail, and its line in the ledger.

All of it for a whole chunk at once: a few statements whatever its size, and the slow name tags on every core.
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
    """A certificate before it has a number. `short_code` is the programme's in the number; `facts` are the other words
    on the paper. `replaces_id`: the certificate that it takes the place of, `reason` why, and `asked_by` who wanted it.
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
    """The key that signs today, held until the commit."""

    key_number: int
    private: Ed25519PrivateKey
    day: date


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of a draft; `payload` is the signed code, 82 bytes."""

    id: int
    serial: int
    number: str
    payload: bytes
    draft: Draft


def lock_key(db: Session, branch: Branch) -> Signer:
    """The key that signs today in the branch's zone. Raises the DomainErrors of `qr_keys.for_signing`."""
    day = clock.today(branch.zone)
    key_number, private = qr_keys.for_signing(db, branch.keys_dir, day)
    return Signer(key_number, private, day)


def sign_and_insert(db: Session, branch: Branch, signer: Signer, drafts: Sequence[Draft]) -> list[Issued]:
    """Sign and write these certificates, in this order, issued on the signer's day. `seal` makes them complete."""
    issued = _sign(branch, signer, list(zip(_draw_numbers(db, len(drafts)), drafts, strict=True)))
    _insert(db, signer, issued)
    return issued


def record_in_ledger(db: Session, issued: Sequence[Issued]) -> None:
    """Enter the certificates into the ledger: the last step, for from here to the commit nobody else can append."""
    db.flush()
    ledger.append(db, [(certificate.id, certificate.payload) for certificate in issued])


def _draw_numbers(db: Session, count: int) -> list[tuple[int, int]]:
    """An id and a serial for each, from the database's sequences. Those of a chunk that is lost stay unused."""
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
    """Make the codes. The name tags are slow on purpose and computed outside Python's lock, so threads share them."""
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
        # The old lets go of the enrolment first: only one certificate of an enrolment stands at any moment.
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
