"""Tables that are published, signed with the status key: signed again where they changed, or were signed a day ago."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from certificates import credentials
from certificates.branch import Branch
from certificates.keys import issuer_keys, jws
from certificates.keys.issuer_keys import Purpose
from certificates.models import StatusList
from lms.core import clock

LIFETIME = timedelta(days=90)
RENEWAL_INTERVAL = timedelta(days=1)


@dataclass(frozen=True)
class SignedTable:
    """A published table. purpose: of its row in `status_list`. path: where it is published, which is its id, too."""

    purpose: str
    media_type: str
    path: str


def sign_due(
    db: Session, branch: Branch, table: SignedTable, content: Mapping[str, Any], *, anew: bool = False
) -> bool:
    """Sign and store a table where it is due, and tell whether it was. For the worker alone.

    anew: sign it in any case, because the key has changed. Raises DomainError when the signing key is not available.
    """
    now = clock.now()
    encoded = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    stored = db.get(StatusList, (table.purpose, 0))
    if not anew and stored is not None and stored.encoded == encoded and now - stored.made_at < RENEWAL_INTERVAL:
        return False
    key, private = issuer_keys.for_signing(db, branch.keys_dir, Purpose.STATUS)
    issuer = credentials.did_of(branch.public_url)
    claims = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "id": branch.public_url + table.path,
        **content,
    }
    stored = stored or StatusList(purpose=table.purpose, number=0)
    stored.encoded, stored.document = encoded, jws.signed(claims, table.media_type, f"{issuer}#{key.kid}", private.sign)
    stored.made_at, stored.valid_until = now, now + LIFETIME
    db.add(stored)
    db.flush()
    return True
