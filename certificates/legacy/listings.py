"""List of legacy certificates with its filters, and their states, for the people who run the register."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.legacy import number_key
from certificates.legacy.models import LegacyCertificate
from certificates.states import State, state_of
from lms.core.names import norm
from lms.core.paging import Page, page_of
from lms.core.scope import Scope, visible


@dataclass(frozen=True, slots=True)
class LegacyCertificateFilters:
    """The filters of the list; None filters nothing. Both match any part, compared as in the public look-up."""

    number: str | None = None
    holder: str | None = None


def listing(db: Session, scope: Scope, filters: LegacyCertificateFilters, *, page: int) -> Page[LegacyCertificate]:
    """Return a page of the legacy certificates within the scope, newest first."""
    statement = visible(select(LegacyCertificate), LegacyCertificate, scope)
    if filters.number:
        statement = statement.where(LegacyCertificate.number_key.contains(number_key(filters.number), autoescape=True))
    if filters.holder:
        statement = statement.where(LegacyCertificate.name_key.contains(norm(filters.holder), autoescape=True))
    return page_of(db, statement.order_by(LegacyCertificate.issued_on.desc(), LegacyCertificate.id.desc()), page)


def state(certificate: LegacyCertificate, today: date) -> State:
    """Return the state of a legacy certificate on a day."""
    return state_of(
        revoked=certificate.revoked_at is not None,
        superseded=certificate.superseded_by_id is not None,
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        today=today,
    )
