"""The signed table of certificate types and issuing units, which say in words what the numbers of a code mean.

`/.well-known/certificate-types.json` serves it as a JSON Web Signature (RFC 7515, flattened JSON). Offline verification
shows the type and the unit of a code by it, because a genuine code of one type on the paper of another type is the cheapest
forgery. `read` needs no database.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from certificates.branch import BRANCH_UNIT, Branch
from certificates.issuing import unit_names
from certificates.keys import jws
from certificates.number import NumberScheme
from certificates.payload import Payload
from certificates.verification import signed_tables
from certificates.verification.signed_tables import SignedTable
from courses.models.catalogue import Course, courses_by_type
from lms.core.errors import N_, DomainError
from lms.organisations.models import District

PURPOSE = "types"
MEDIA_TYPE = "certificate-types+jwt"
PATH = "/.well-known/certificate-types.json"

Names = Mapping[str, str]


@dataclass(frozen=True)
class TypeTable:
    """A table that was read. Names are by language, "zh" and "en".

    types: number → members `name`, `programme`, `hours` and `validityMonths` as they are published; units: number → names.
    """

    types: Mapping[int, Mapping[str, Any]]
    units: Mapping[int, Names]
    scheme: NumberScheme
    made_at: datetime

    def number_of(self, signed: Payload) -> str | None:
        """Return the certificate number of a code; None where the table does not know its type."""
        known = self.types.get(signed.certificate_type)
        if known is None:
            return None
        return self.scheme.compose(known["programme"]["shortCode"], signed.issued_on.year, signed.serial)


def sign_due(db: Session, branch: Branch, *, anew: bool = False) -> bool:
    """Sign and store the table where it changed or was signed a day ago, and tell whether it was. For the worker alone.

    anew: sign it in any case, because the key has changed. Raises DomainError when the signing key is not available.
    """
    table = SignedTable(PURPOSE, MEDIA_TYPE, PATH)
    return signed_tables.sign_due(db, branch, table, _content(db, branch), anew=anew)


def _content(db: Session, branch: Branch) -> dict[str, Any]:
    """The published members. Of the courses of one type the full course speaks for it, not its refresher."""
    courses = db.scalars(courses_by_type().options(joinedload(Course.programme)))
    units = [(BRANCH_UNIT, "", "")] + [
        (row.id, row.name_zh, row.name_en)
        for row in db.execute(select(District.id, District.name_zh, District.name_en).order_by(District.id))
    ]
    return {
        "numberScheme": {"branch": branch.scheme.branch, "width": branch.scheme.width},
        "types": [
            {
                "number": course.certificate_type,
                "name": {"zh": course.name_zh, "en": course.name_en},
                "programme": {
                    "code": course.programme.code,
                    "shortCode": course.programme.short_code,
                    "zh": course.programme.name_zh,
                    "en": course.programme.name_en,
                },
                "hours": f"{course.hours:f}".removesuffix(".0"),
                "validityMonths": course.validity_months,
            }
            for course in courses
        ],
        "units": [
            {"number": number, "name": dict(zip(("zh", "en"), unit_names(number, zh, en, branch), strict=True))}
            for number, zh, en in units
        ],
    }


def as_json(document: str) -> dict[str, str]:
    """Return a signed document as the members of a JSON Web Signature in flattened JSON."""
    protected, payload, signature = document.split(".")
    return {"protected": protected, "payload": payload, "signature": signature}


def read(text: str, keys: Mapping[str, bytes]) -> TypeTable:
    """Read a published table and verify it with the published keys (name → 32 bytes).

    Raises DomainError `type_table_invalid` for a text that is no such table or was not signed by us.
    """
    try:
        members = json.loads(text)
        claims = jws.read(".".join(members[name] for name in ("protected", "payload", "signature")), keys).claims
        scheme = claims["numberScheme"]
        return TypeTable(
            {entry["number"]: entry for entry in claims["types"]},
            {entry["number"]: entry["name"] for entry in claims["units"]},
            NumberScheme(scheme["branch"], scheme["width"]),
            datetime.fromtimestamp(claims["iat"], UTC),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DomainError(
            "type_table_invalid", N_("This is not a table of certificate types published by us.")
        ) from error
