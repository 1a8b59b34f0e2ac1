"""Open Badges of certificates: owed when the holder first asks, signed by the worker, then served as they were signed.

Only the worker has the key, so the web never signs. The row in `badge` says what is owed; workers take rows that no
other worker holds, and a badge that exists is not made again. So each certificate gets exactly one badge, however often
a task is retried.
"""

import json
import struct
import time
import zlib
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from certificates import credentials, documents, rendering
from certificates.branch import Branch
from certificates.credentials import BadgeSubject
from certificates.events import BadgeOwed
from certificates.keys import issuer_keys
from certificates.keys.issuer_keys import Purpose
from certificates.models import Badge, Certificate
from certificates.payload import DIGITS
from courses.models.catalogue import Course
from lms.core import clock, events
from lms.core.errors import N_, DomainError, NotFound

log = structlog.get_logger(__name__)

CHUNK = 20
MAX_WAIT = 4.0  # seconds; a download waits so long for the worker
_POLL_INTERVAL = 0.1
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"openbadgecredential"
_PAYLOAD_BYTES = 82


@dataclass(frozen=True, slots=True)
class SignedBadge:
    """A signed badge: the credential as JSON with its proof, and the same credential as a VC-JWT."""

    credential: str
    token: str


def owe(db: Session, certificate: Certificate) -> bool:
    """Record that the badge of a certificate is owed; True when it was not asked for before.

    The caller commits, then the worker signs. Raises DomainError `badge_not_made` for a certificate that was revoked or
    superseded.
    """
    if not documents.is_printable(certificate):
        raise DomainError("badge_not_made", N_("This certificate was revoked or replaced. It no longer has a badge."))
    new_id = db.scalar(
        insert(Badge)
        .values(certificate_id=certificate.id, owed_at=clock.now())
        .on_conflict_do_nothing()
        .returning(Badge.certificate_id)
    )
    if new_id is None:
        return False
    events.publish(db, BadgeOwed())
    return True


def signed_badge(db: Session, certificate: Certificate, *, max_wait: float = 0.0) -> SignedBadge | None:
    """Return the badge once the worker has signed it; None when that takes longer than `max_wait` seconds."""
    statement = select(Badge.credential, Badge.token).where(
        Badge.certificate_id == certificate.id, Badge.made_at.is_not(None)
    )
    until = time.monotonic() + max_wait
    while (row := db.execute(statement).one_or_none()) is None and time.monotonic() < until:
        time.sleep(_POLL_INTERVAL)
    return SignedBadge(row.credential, row.token) if row is not None else None


def sign_owed(db: Session, branch: Branch) -> int:
    """Sign at most one chunk of owed badges that no other worker holds, and return the number of rows dealt with.

    Raises the DomainErrors of `issuer_keys.for_signing`; then everything stays owed.
    """
    rows = db.execute(
        select(Badge, Certificate)
        .join(Certificate, Certificate.id == Badge.certificate_id)
        .where(Badge.made_at.is_(None))
        .order_by(Badge.owed_at)
        .limit(CHUNK)
        .with_for_update(of=Badge, skip_locked=True)
    ).all()
    if not rows:
        return 0
    key, private = issuer_keys.for_signing(db, branch.keys_dir, Purpose.BADGE)
    method = credentials.verification_method(credentials.did_of(branch.public_url), key.public_key)
    for badge, certificate in rows:
        if not documents.is_printable(certificate):
            db.delete(badge)  # revoked or replaced since its holder asked
            continue
        now = clock.now()
        body = credentials.credential(badge_subject(certificate, branch))
        secured = credentials.with_proof(body, method, private.sign, now)
        badge.credential = json.dumps(secured, ensure_ascii=False, indent=2)
        badge.token = credentials.as_jwt(body, method, private.sign)
        badge.made_at = now
    db.flush()
    log.info("badges_signed", count=len(rows), kid=key.kid)
    return len(rows)


def badge_subject(certificate: Certificate, branch: Branch) -> BadgeSubject:
    """Return what the badge of a certificate says."""
    return BadgeSubject(
        document=documents.document_of(certificate, branch),
        serial=certificate.serial,
        certificate_type=certificate.certificate_type,
        public_url=branch.public_url,
        zone=branch.zone,
    )


def did_document(db: Session, branch: Branch) -> dict[str, Any]:
    """Return the issuer's `did:web` document."""
    rows = issuer_keys.trusted(db)
    return credentials.did_document(
        branch.public_url,
        [row.public_key for row in rows if row.kid.startswith(Purpose.BADGE)],
        {row.kid: row.public_key for row in rows if row.kid.startswith(Purpose.STATUS)},
    )


def course_of(db: Session, certificate_type: int) -> Course:
    """Return the course of a certificate type, with its programme. Raises NotFound."""
    statement = (
        select(Course).where(Course.certificate_type == certificate_type).order_by(Course.refresher, Course.id).limit(1)
    )
    course = db.scalars(statement.options(joinedload(Course.programme))).one_or_none()
    if course is None:
        raise NotFound
    return course


def certificate_of(db: Session, digits: str) -> Certificate:
    """Return the certificate of a signed code, 198 digits. Raises NotFound."""
    try:
        payload = int(digits).to_bytes(_PAYLOAD_BYTES, "big") if digits.isascii() and len(digits) == DIGITS else b""
    except (ValueError, OverflowError):
        payload = b""
    certificate = db.scalars(select(Certificate).where(Certificate.payload == payload)).one_or_none()
    if certificate is None:
        raise NotFound
    return certificate


def image(certificate: Certificate, branch: Branch) -> bytes:
    """Return the badge's image without the credential, PNG."""
    return rendering.badge(documents.document_of(certificate, branch))


def bake(png: bytes, content: str) -> bytes:
    """Return a PNG with the credential in it: one iTXt chunk before the pixels (Open Badges 3.0, section 5.3).

    `content` is the credential as JSON or as a VC-JWT.
    """
    body = _KEYWORD + b"\0\0\0\0\0" + content.encode()
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    end_of_header = len(_PNG_SIGNATURE) + 8 + struct.unpack_from(">I", png, len(_PNG_SIGNATURE))[0] + 4
    return png[:end_of_header] + chunk + png[end_of_header:]
