"""List of legacy certificates with its filters, and their states, for the people who run the register."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, Text, and_, literal_column, not_, select
from sqlalchemy.orm import Session

from certificates.legacy.legacy import number_key
from certificates.legacy.models import DIGITS_SQL, NAME_SQL, NUMBER_SQL, LegacyCertificate
from certificates.states import State, state_of
from lms.core.name_search import begins
from lms.core.names import norm
from lms.core.paging import FIRST, Count, KeyPage, Order, Part, Place, page_by_key
from lms.core.scope import Scope, visible

NUMBER, DIGITS, NAME = (
    literal_column(re.sub(r"\b(number_key|name_key)\b", r"legacy_certificate.\1", expression), Text(collation="C"))
    for expression in (NUMBER_SQL, DIGITS_SQL, NAME_SQL)
)
ORDERS = (
    Order("issued", (LegacyCertificate.issued_on, LegacyCertificate.id), descending=True),
    Order("number", (NUMBER, LegacyCertificate.id)),
    Order("holder", (NAME, LegacyCertificate.id)),
)
FEWEST_DIGITS = 3  # by fewer digits of a number nobody is found who did not type its beginning


@dataclass(frozen=True, slots=True)
class LegacyCertificateFilters:
    """The filters of the list; None filters nothing. Both match the beginning, compared as in the public look-up.

    `number` may also be a part that begins with the first digit of the number: "2015第123" of "京红救（2015）第123号".
    """

    number: str | None = None
    holder: str | None = None


def listing(
    db: Session, scope: Scope, filters: LegacyCertificateFilters, place: Place = FIRST, order: Order = ORDERS[0]
) -> KeyPage[LegacyCertificate]:
    """Return a page of the legacy certificates within the scope: in an order of `ORDERS`, or as a search found them."""
    statement = visible(select(LegacyCertificate), LegacyCertificate, scope)
    if filters.holder:
        statement = statement.where(begins(NAME, norm(filters.holder)))
        order = Order("holder", (NAME, LegacyCertificate.id))
    if filters.number:
        return page_by_key(db, numbered(statement, filters.number), place)
    return page_by_key(db, [Part(statement, order)], place)


def of_number(db: Session, scope: Scope, number: str, *, most: int) -> Sequence[LegacyCertificate]:
    """Return the legacy certificates within the scope that have a number, or begin with it or with its digits."""
    parts = numbered(visible(select(LegacyCertificate), LegacyCertificate, scope), number)
    return page_by_key(db, parts, FIRST, count=Count(most), size=most).rows


def numbered(statement: Select[LegacyCertificate], number: str) -> list[Part]:
    """Return the parts of a SELECT of legacy certificates that have a number, or begin with it or with its digits."""
    key = number_key(number)
    by_number = begins(NUMBER, key)
    parts = [Part(statement.where(by_number), Order("number", (NUMBER, LegacyCertificate.id)))]
    digits = re.sub("[^0-9]+", "", key)
    if len(digits) >= FEWEST_DIGITS:
        by_digits = and_(begins(DIGITS, digits), LegacyCertificate.number_key.contains(key, autoescape=True))
        order = Order("number", (DIGITS, LegacyCertificate.id))
        parts.append(Part(statement.where(by_digits, not_(by_number)), order))
    return parts


def state(certificate: LegacyCertificate, today: date) -> State:
    """Return the state of a legacy certificate on a day."""
    return state_of(
        revoked=certificate.revoked_at is not None,
        superseded=certificate.superseded_by_id is not None,
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        today=today,
    )
