"""States of certificates and of signed codes, such as valid, expired and revoked, with their labels.

`state_of` is the rule in Python, `sql_condition` the same rule in SQL.
"""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from certificates.models import Certificate
from lms.core.errors import N_


class State(StrEnum):
    """The answers of a verification. The first five are states of certificates that we issued."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    FORGED = "forged"
    UNKNOWN = "unknown"


ISSUED = (State.VALID, State.EXPIRED, State.NOT_YET_VALID, State.REVOKED, State.SUPERSEDED)

STATE_LABELS = {
    State.VALID: N_("Valid"),
    State.EXPIRED: N_("Expired"),
    State.NOT_YET_VALID: N_("Not yet valid"),
    State.REVOKED: N_("Revoked"),
    State.SUPERSEDED: N_("Superseded"),
    State.FORGED: N_("Forged"),
    State.UNKNOWN: N_("Unknown"),
}

UNREADABLE = "unreadable"
PROOF_MISSING = "proof_missing"
CANNOT_BE_READ = N_("Cannot be read")
NAME_MISSING = N_("Name missing")
# What was never looked for, by reason.
NOT_LOOKED_FOR = {UNREADABLE: CANNOT_BE_READ, PROOF_MISSING: NAME_MISSING}

STATE_COLOURS = {
    State.VALID: "success",
    State.EXPIRED: "warning",
    State.NOT_YET_VALID: "info",
    State.REVOKED: "danger",
    State.SUPERSEDED: "secondary",
}


def verdict_label(state: State, reason: str) -> str:
    """Return the msgid for a verdict. "Unknown" is said only of a certificate that was looked for."""
    return NOT_LOOKED_FOR.get(reason) or STATE_LABELS[state]


def state_of(*, revoked: bool, superseded: bool, issued_on: date, valid_until: date | None, today: date) -> State:
    """Return the state on a day: the first that matches (CERTIFICATE.md, "Verification", steps 4 to 8)."""
    if revoked:
        return State.REVOKED
    if superseded:
        return State.SUPERSEDED
    if valid_until is not None and today > valid_until:
        return State.EXPIRED
    if today < issued_on:
        return State.NOT_YET_VALID
    return State.VALID


def of_certificate(certificate: Certificate, today: date) -> State:
    """Return the state of a certificate of the database on a day."""
    return state_of(
        revoked=certificate.revoked_at is not None,
        superseded=certificate.superseded_by_id is not None,
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        today=today,
    )


def sql_condition(state: State, today: date) -> ColumnElement[bool]:
    """Return the SQL condition under which `of_certificate` gives this state."""
    revoked: Any = Certificate.revoked_at.is_not(None)
    superseded: Any = Certificate.superseded_by_id.is_not(None)
    in_force = and_(~revoked, ~superseded)
    expired = and_(Certificate.valid_until.is_not(None), Certificate.valid_until < today)
    not_ended = or_(Certificate.valid_until.is_(None), Certificate.valid_until >= today)
    conditions: dict[State, ColumnElement[bool]] = {
        State.REVOKED: revoked,
        State.SUPERSEDED: and_(~revoked, superseded),
        State.EXPIRED: and_(in_force, expired),
        State.NOT_YET_VALID: and_(in_force, not_ended, Certificate.issued_on > today),
        State.VALID: and_(in_force, not_ended, Certificate.issued_on <= today),
    }
    return conditions[state]
