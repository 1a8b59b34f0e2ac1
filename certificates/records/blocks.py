"""The signed statement about a block, as it is published; it holds no row and no personal data."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from certificates import credentials
from certificates.keys import jws
from certificates.records.canonical import Boundary

KIND = "record-block+jwt"
MEDIA_TYPE = "application/jwt"
GENESIS = bytes(32)  # the digest before the first block


@dataclass(frozen=True, slots=True)
class Claims:
    """The statement: block `number` of a table holds `count` rows between two boundaries, with this digest."""

    table: str
    number: int
    begin: Boundary
    end: Boundary
    columns: tuple[str, ...]
    count: int
    digest: bytes
    previous: bytes
    leaves: bytes
    sealed_at: datetime
    kid: str


def document(claims: Claims, public_url: str, sign: Callable[[bytes], bytes]) -> str:
    """Return the signed statement."""
    issuer = credentials.did_of(public_url)
    content = {
        "iss": issuer,
        "iat": int(claims.sealed_at.timestamp()),
        "table": claims.table,
        "number": claims.number,
        "from": [claims.begin.number, claims.begin.key],
        "to": [claims.end.number, claims.end.key],
        "columns": list(claims.columns),
        "count": claims.count,
        "digest": claims.digest.hex(),
        "previous": claims.previous.hex(),
        "leaves": claims.leaves.hex(),
        "sealedAt": claims.sealed_at.astimezone(UTC).isoformat(),
    }
    return jws.signed(content, KIND, f"{issuer}#{claims.kid}", sign)


def read(text: str, keys: Mapping[str, bytes]) -> Claims:
    """Read a signed statement. Raises ValueError for a text that is none or was not signed with one of the keys."""
    signed = jws.read(text, keys)
    content: dict[str, Any] = signed.claims
    try:
        return Claims(
            table=content["table"],
            number=int(content["number"]),
            begin=Boundary(*content["from"]),
            end=Boundary(*content["to"]),
            columns=tuple(content["columns"]),
            count=int(content["count"]),
            digest=bytes.fromhex(content["digest"]),
            previous=bytes.fromhex(content["previous"]),
            leaves=bytes.fromhex(content["leaves"]),
            sealed_at=datetime.fromisoformat(content["sealedAt"]),
            kid=signed.kid,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not the statement of a block") from error


def of_row(block: Row[Any], leaves: bytes) -> Claims:
    """Return the content of a stored block's columns. Nothing of it is verified."""
    return Claims(
        table=block.record_table,
        number=block.number,
        begin=Boundary(block.from_number, block.from_key),
        end=Boundary(block.to_number, block.to_key),
        columns=tuple(block.columns),
        count=block.row_count,
        digest=bytes(block.digest),
        previous=bytes(block.previous_digest),
        leaves=hash_of(leaves),
        sealed_at=block.sealed_at,
        kid=block.kid,
    )


def hash_of(leaves: bytes) -> bytes:
    """The hash of a block's leaves, which its statement holds."""
    return hashlib.sha256(leaves).digest()
