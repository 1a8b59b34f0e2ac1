"""Signed status lists for verification without our server: W3C Bitstring Status List 1.0, as a VC-JWT.

There are two lists for each 131,072 serials: one of revoked and one of superseded certificates. A corrected certificate of
which there is a badge stands on both, because a badge with a wrong name is revoked. The worker signs and
stores them; the web serves what is stored. `read` needs no database: offline verification uses it.
"""

import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from certificates import credentials
from certificates.branch import Branch
from certificates.keys import issuer_keys, jws
from certificates.keys.issuer_keys import Purpose
from certificates.models import Badge, Certificate, StatusList
from lms.core import clock
from lms.core.autocommit import Reads
from lms.core.errors import N_, DomainError

BITS = 1 << credentials.LIST_BITS
BYTES = BITS // 8
LIFETIME = timedelta(hours=24)
RENEWAL_INTERVAL = timedelta(minutes=10)
MEDIA_TYPE = "vc+jwt"


class StatusPurpose(StrEnum):
    """The `statusPurpose` of a list, which is also part of its address."""

    REVOCATION = "revocation"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class StatusBits:
    """A list that was read: its bits, when it was signed and until when it may be relied on."""

    purpose: StatusPurpose
    number: int
    bits: bytes
    made_at: datetime
    valid_until: datetime

    def contains(self, serial: int) -> bool:
        """Tell whether the certificate of this serial is on the list."""
        place = serial & (BITS - 1)
        return bool(self.bits[place >> 3] & 0x80 >> (place & 7))


def sign_due(db: Session, branch: Branch, *, anew: bool = False) -> int:
    """Sign and store each list that changed or was signed 10 minutes ago, and return their number. For the worker
    alone.

    anew: sign all lists, because the key has changed.

    Raises DomainError when the signing key is not available: the stored lists stay as they are.
    """
    now = clock.now()
    last = db.scalar(select(func.max(Certificate.serial))) or 0
    known = {(row.purpose, row.number): row for row in db.scalars(select(StatusList))}
    due: list[tuple[StatusPurpose, int, str, StatusList | None]] = []
    for purpose in StatusPurpose:
        places = _listed_places(db, purpose)
        for number in range((last >> credentials.LIST_BITS) + 1):
            encoded = encode(places.get(number, ()))
            row = known.get((purpose, number))
            if anew or row is None or row.encoded != encoded or now - row.made_at >= RENEWAL_INTERVAL:
                due.append((purpose, number, encoded, row))
    if not due:
        return 0
    key, private = issuer_keys.for_signing(db, branch.keys_dir, Purpose.STATUS)
    for purpose, number, encoded, row in due:
        body = credential(branch.public_url, purpose, number, encoded, now)
        stored = row or StatusList(purpose=purpose, number=number)
        stored.encoded, stored.document = encoded, as_jwt(body, f"{body['issuer']}#{key.kid}", private.sign)
        stored.made_at, stored.valid_until = now, now + LIFETIME
        db.add(stored)
    db.flush()
    return len(due)


def _listed_places(db: Session, purpose: StatusPurpose) -> dict[int, list[int]]:
    """Return, by list number, the positions of the certificates on that list."""
    if purpose is StatusPurpose.REVOCATION:
        listed = or_(Certificate.revoked_at.is_not(None), Certificate.id.in_(_wrong_badges()))
    else:
        listed = Certificate.superseded_by_id.is_not(None)
    places: dict[int, list[int]] = {}
    for serial in db.scalars(select(Certificate.serial).where(listed)):
        places.setdefault(serial >> credentials.LIST_BITS, []).append(serial & (BITS - 1))
    return places


def _wrong_badges() -> Select[int]:
    """Return the SELECT of the corrected certificates of which there may be a badge, with the wrong name or wrong facts.

    An Open Badge names one list, that of revoked ones: so a badge is revoked when its certificate is corrected. With the
    holder's data the badge's row is erased, and what was downloaded before must not become valid by that.
    """
    correction = aliased(Certificate)
    return (
        select(Certificate.id)
        .join(correction, correction.id == Certificate.superseded_by_id)
        .join(Badge, Badge.certificate_id == Certificate.id, isouter=True)
        .where(
            correction.enrolment_id == Certificate.enrolment_id,
            or_(Badge.certificate_id.is_not(None), Certificate.erased_content.is_not(None)),
        )
    )


def encode(places: Iterable[int]) -> str:
    """Return the bitstring, first bit first, as multibase base64url of gzip, as the specification says.

    Equal lists give equal texts.
    """
    bits = bytearray(BYTES)
    for place in places:
        bits[place >> 3] |= 0x80 >> (place & 7)
    return "u" + jws.base64url(gzip.compress(bytes(bits), mtime=0))


def credential(public_url: str, purpose: StatusPurpose, number: int, encoded: str, now: datetime) -> dict[str, Any]:
    """Return the list as a Verifiable Credential."""
    address = f"{public_url}/status/{purpose}/{number}"
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": credentials.did_of(public_url),
        "validFrom": _iso(now),
        "validUntil": _iso(now + LIFETIME),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose.value,
            "encodedList": encoded,
            "ttl": int(RENEWAL_INTERVAL.total_seconds() * 1000),
        },
    }


def as_jwt(body: dict[str, Any], kid: str, sign: credentials.Sign) -> str:
    """Return the credential signed with a key of the published set (JOSE, EdDSA)."""
    claims = {
        "iss": body["issuer"],
        "iat": _seconds(body["validFrom"]),
        "exp": _seconds(body["validUntil"]),
        **body,
    }
    return jws.signed(claims, MEDIA_TYPE, kid, sign)


@dataclass(frozen=True, slots=True)
class SignedList:
    """A signed list as the web serves it."""

    document: str
    made_at: datetime


_BY_PLACE = select(StatusList.document, StatusList.made_at).where(
    StatusList.purpose == bindparam("purpose"), StatusList.number == bindparam("number")
)


def signed_list(db: Reads, purpose: str, number: int) -> SignedList | None:
    """Return the newest signed list, if there is one. One statement."""
    row = db.execute(_BY_PLACE, {"purpose": purpose, "number": number}).one_or_none()
    return SignedList(row.document, row.made_at) if row is not None else None


def count(db: Reads) -> int:
    """Return the number of lists of each purpose."""
    number: int = db.execute(select(func.count()).where(StatusList.purpose == StatusPurpose.REVOCATION)).scalar_one()
    return number


def read(document: str, keys: dict[str, bytes]) -> StatusBits:
    """Read a signed list and verify it with the published keys (name → 32 bytes).

    Raises DomainError `status_list_invalid` for a text that is not such a list or was not signed by us. Whether the
    list is recent enough is for the caller to decide by `valid_until`.
    """
    try:
        claims = jws.read(document, keys).claims
        subject = claims["credentialSubject"]
        with gzip.GzipFile(fileobj=io.BytesIO(jws.unbase64(subject["encodedList"].removeprefix("u")))) as packed:
            bits = packed.read(BYTES + 1)
        if len(bits) != BYTES:
            raise _invalid()
        return StatusBits(
            purpose=StatusPurpose(subject["statusPurpose"]),
            number=int(claims["id"].rpartition("/")[2]),
            bits=bits,
            made_at=datetime.fromisoformat(claims["validFrom"]),
            valid_until=datetime.fromisoformat(claims["validUntil"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error) as error:
        raise _invalid() from error


def _invalid() -> DomainError:
    return DomainError("status_list_invalid", N_("This is not a status list signed by us."))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
