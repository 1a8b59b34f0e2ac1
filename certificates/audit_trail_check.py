"""Check of certificate rows against the audit trail: revocation, successor and predecessor must be what the trail
recorded.

The signed code and the ledger protect what was issued. What happened to a certificate later is recorded in the audit
trail, which is append-only. So this check finds a revocation that somebody removed from the row, or wrote into it, with
plain SQL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import DateTime, Integer, Select, and_, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from certificates.models import Certificate
from lms.core.audit import AuditEntry

_BATCH = 1000
_PREFIX = "certificate:"
# The audit entries of early versions do not contain `revoked_at`; they were written right after it.
_MAX_DELAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A certificate whose row differs from the audit trail; `what` is a text for the person who runs the check."""

    number: str
    what: str


def deviations(db: Session) -> Iterator[Deviation]:
    """Yield every certificate whose row differs from the trail, by id.

    One statement; the rows are streamed, so memory does not grow with the number of certificates.
    """
    for row in db.execute(_deviating().execution_options(yield_per=_BATCH)):
        for flag, what in (
            (row.revocation, "its revocation is not the one in the audit trail"),
            (row.successor, "its successor is not the one in the audit trail"),
            (row.predecessor, "the certificate that it replaces is not the one in the audit trail"),
        ):
            if flag:
                yield Deviation(row.number, what)


def _deviating() -> Select[str, bool, bool, bool]:
    revoked = _last_entries("certificate.revoke", "certificate.restore").subquery("revoked")
    replaced = _last_entries("certificate.renew", "certificate.reissue").subquery("replaced")
    successor = replaced.c.after["superseded_by"].astext.cast(Integer)
    before = select(replaced.c.certificate_id, successor.label("successor_id")).subquery("before")
    recorded_at = revoked.c.after["revoked_at"].astext.cast(DateTime(timezone=True))
    not_revoked = func.coalesce(revoked.c.action, "certificate.restore") == "certificate.restore"
    in_row = or_(
        Certificate.revoked_at.is_not(None), Certificate.revoked_by.is_not(None), Certificate.revoke_reason.is_not(None)
    )
    differs = or_(
        Certificate.revoke_reason.is_distinct_from(revoked.c.reason),
        Certificate.revoked_by.is_distinct_from(revoked.c.user_id),
        Certificate.revoked_at.is_(None),
        and_(recorded_at.is_not(None), Certificate.revoked_at != recorded_at),
        and_(
            recorded_at.is_(None), ~Certificate.revoked_at.between(revoked.c.at - _MAX_DELAY, revoked.c.at + _MAX_DELAY)
        ),
    )
    revocation = case((not_revoked, in_row), else_=differs)
    after = Certificate.superseded_by_id.is_distinct_from(successor)
    replaces = Certificate.replaces_id.is_distinct_from(before.c.certificate_id)
    return (
        select(
            Certificate.number,
            revocation.label("revocation"),
            after.label("successor"),
            replaces.label("predecessor"),
        )
        .join(revoked, revoked.c.certificate_id == Certificate.id, isouter=True)
        .join(replaced, replaced.c.certificate_id == Certificate.id, isouter=True)
        .join(before, before.c.successor_id == Certificate.id, isouter=True)
        .where(or_(revocation, after, replaces))
        .order_by(Certificate.id)
    )


def _last_entries(*actions: str) -> Select[int, str, object, object, object, object]:
    """Select, for each certificate, the last audit entry with one of these actions."""
    identity = func.substr(AuditEntry.subject, literal(len(_PREFIX) + 1)).cast(Integer)
    return (
        select(
            identity.label("certificate_id"),
            AuditEntry.action,
            AuditEntry.at,
            AuditEntry.user_id,
            AuditEntry.reason,
            AuditEntry.after,
        )
        .where(AuditEntry.action.in_(actions), AuditEntry.subject.startswith(_PREFIX))
        .ext(distinct_on(AuditEntry.subject))
        .order_by(AuditEntry.subject, AuditEntry.id.desc())
    )
