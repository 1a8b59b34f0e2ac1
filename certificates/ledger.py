"""Ledger of issuance: an append-only table whose entries form a hash chain.

The hash of an entry binds the entry before it, the signed code, the moment of recording and the other contents of the
certificate. When a key is compromised, a code is trusted if the ledger recorded it before that moment. An entry that
was edited or removed breaks the chain from there on, and `check` says where.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.orm import Session

from certificates import audit_trail_check
from certificates.models import Certificate, LedgerEntry, SigningKey
from certificates.payload import Payload, decode, digits_of, name_matches, verify_signature
from lms.core import clock
from lms.core.audit import AuditEntry

GENESIS = bytes(32)
ERASED = "certificate.erase"
_TAIL_LOCK = 0x424A_5243_4C45_4447  # "BJRCLEDG": PostgreSQL's advisory lock around the chain's tail
_BATCH = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_hash(previous: bytes, payload_hash: bytes, recorded_at: datetime, content: bytes) -> bytes:
    """Return the hash of an entry: SHA-256 of the previous hash, the payload's SHA-256, the moment and the content
    digest.

    The moment is in microseconds since 1970 (8 bytes, big-endian): it decides whether a code of a compromised key is
    trusted. `content` is the result of `content_digest`; it has 32 bytes, like the two hashes before it.
    """
    moment = ((recorded_at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big")
    return hashlib.sha256(previous + payload_hash + moment + content).digest()


def content_digest(certificate: Certificate | Row[Any]) -> bytes:
    """Return the SHA-256 of what the certificate says and the signed code does not bind.

    These columns never change: a correction is a new certificate. The one exception is an erasure of the holder's data, which
    keeps this digest in `erased_content`.
    """
    values = [
        certificate.id,
        certificate.number,
        certificate.enrolment_id,
        certificate.holder_name,
        certificate.facts,
        certificate.issued_at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).digest()


def append(db: Session, certificates: Sequence[tuple[int, bytes]]) -> None:
    """Add an entry for each (certificate id, payload), in this order.

    From here until the commit no other transaction can append, so this is the last step of a transaction.
    """
    statement = select(
        Certificate.id,
        Certificate.number,
        Certificate.enrolment_id,
        Certificate.holder_name,
        Certificate.facts,
        Certificate.issued_at,
    ).where(Certificate.id.in_([certificate_id for certificate_id, _ in certificates]))
    digests = {row.id: content_digest(row) for row in db.execute(statement)}
    db.execute(select(func.pg_advisory_xact_lock(_TAIL_LOCK)))
    tail = db.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)).one_or_none()
    seq, previous = (tail.seq, tail.hash) if tail is not None else (0, GENESIS)
    now = clock.now()
    rows = []
    for certificate_id, payload in certificates:
        seq += 1
        payload_hash = hashlib.sha256(payload).digest()
        hash_of_entry = entry_hash(previous, payload_hash, now, digests[certificate_id])
        rows.append(
            {
                "seq": seq,
                "certificate_id": certificate_id,
                "payload_hash": payload_hash,
                "previous_hash": previous,
                "hash": hash_of_entry,
                "recorded_at": now,
            }
        )
        previous = hash_of_entry
    if rows:
        db.execute(insert(LedgerEntry), rows)


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """A discrepancy, for the person who runs the check. `seq` is the ledger entry, `number` the certificate."""

    seq: int | None
    number: str | None
    what: str


def check(db: Session, *, names: bool = False) -> Iterator[LedgerFault]:
    """Compare the ledger with itself and with the certificates, and these with their signed codes and with the audit
    trail.

    Yields each discrepancy. Any edited column of a certificate's row is found.

    names: also compare each holder's name with its tag, about 5 ms for each certificate.
    """
    public_keys = {key.number: key.public_key for key in db.execute(select(SigningKey.number, SigningKey.public_key))}
    statement = (
        select(LedgerEntry, Certificate)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id, isouter=True)
        .order_by(LedgerEntry.seq)
        .execution_options(yield_per=_BATCH)
    )
    erasures = _Erasures(db)
    expected, previous = 1, GENESIS
    for entry, certificate in db.execute(statement):
        number = certificate.number if certificate is not None else None
        if entry.seq != expected:
            yield LedgerFault(entry.seq, number, f"line {expected} is missing before it")
        if entry.previous_hash != previous:
            yield LedgerFault(entry.seq, number, "its previous hash is not the hash of the line before")
        if certificate is None:
            yield LedgerFault(entry.seq, None, "its certificate is missing")
        else:
            content = certificate.erased_content or content_digest(certificate)
            if entry.hash != entry_hash(entry.previous_hash, entry.payload_hash, entry.recorded_at, content):
                yield LedgerFault(entry.seq, number, "its hash does not fit its contents, or what its certificate says")
            if hashlib.sha256(certificate.payload).digest() != entry.payload_hash:
                yield LedgerFault(entry.seq, number, "the certificate's code is not the one that was recorded")
            for what in (*erasures.faults(certificate), *_disagreements(certificate, public_keys, names=names)):
                yield LedgerFault(entry.seq, number, what)
        expected, previous = entry.seq + 1, entry.hash
    unrecorded = (
        select(Certificate.number)
        .join(LedgerEntry, LedgerEntry.certificate_id == Certificate.id, isouter=True)
        .where(LedgerEntry.seq.is_(None))
        .order_by(Certificate.id)
    )
    for number in db.scalars(unrecorded):
        yield LedgerFault(None, number, "the certificate has no line in the ledger")
    for deviation in audit_trail_check.deviations(db):
        yield LedgerFault(None, deviation.number, deviation.what)


class _Erasures:
    """The erasures of holders' names in the audit trail.

    An entry has the digest of the content from before the erasure, which the chain binds, and that of what remained, so
    that a change after the erasure is found as well.
    """

    def __init__(self, db: Session) -> None:
        rows = db.execute(
            select(AuditEntry.subject, AuditEntry.after).where(AuditEntry.action == ERASED).order_by(AuditEntry.id)
        )
        self._entries: dict[str, dict[str, Any]] = {row.subject: row.after or {} for row in rows}

    def faults(self, certificate: Certificate) -> Iterator[str]:
        """Yield what is wrong with the erasure of a certificate's name."""
        entry = self._entries.get(f"certificate:{certificate.id}")
        if certificate.erased_content is None:
            if entry is not None:
                yield "its holder's name was erased by the audit trail, and is there"
            return
        if entry is None:
            yield "its holder's name was erased, and the audit trail has no entry of it"
            return
        if entry.get("content") != certificate.erased_content.hex():
            yield "the digest of its contents is not the one that the audit trail has from before the erasure"
        if entry.get("remains") != content_digest(certificate).hex():
            yield "what its certificate says is not what remained after the erasure"


def _disagreements(certificate: Certificate, public_keys: dict[int, bytes], *, names: bool) -> Iterator[str]:
    """Yield each difference between the row of a certificate and its signed code."""
    decoded = decode(digits_of(certificate.payload))
    signed = decoded.payload
    key = public_keys.get(signed.key_number)
    if key is None or not verify_signature(decoded, key):
        yield "the signature of its code is wrong"
    row = Payload(
        key_number=certificate.key_number,
        certificate_type=certificate.certificate_type,
        unit=certificate.unit,
        serial=certificate.serial,
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        name_tag=signed.name_tag,
    )
    for field in ("key_number", "certificate_type", "unit", "serial", "issued_on", "valid_until"):
        if getattr(row, field) != getattr(signed, field):
            yield f"its {field} is {getattr(row, field)}, and {getattr(signed, field)} was signed"
    if names and certificate.erased_content is None and not name_matches(signed, certificate.holder_name):
        yield "its holder's name is not the one that was signed"
