"""List of certificates with its filters, for the people who run the training."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column, select
from sqlalchemy.orm import Session

from certificates import states
from certificates.models import HOLDER_SQL, PLAIN_NUMBER_SQL, Certificate
from certificates.states import State
from courses.enrolment import trainee_search
from courses.models.catalogue import Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core.name_search import begins
from lms.core.paging import FIRST, KeyPage, Order, Part, Place, page_by_key, page_of_set
from lms.core.scope import Scope, visible

PLAIN_NUMBER, HOLDER = (
    literal_column(re.sub(r"\b(number|holder_name)\b", r"certificate.\1", expression), Text(collation="C"))
    for expression in (PLAIN_NUMBER_SQL, HOLDER_SQL)
)
ORDERS = (
    Order("issued", (Certificate.issued_on, Certificate.id), descending=True),
    Order("number", (PLAIN_NUMBER, Certificate.id)),
    Order("holder", (HOLDER, Certificate.id)),
)


@dataclass(frozen=True, slots=True)
class CertificateFilters:
    """The filters of the list; None filters nothing. `number` and `holder` match the beginning.

    `since` and `until` are issue days, both included; `district` is the district of the training.
    """

    number: str | None = None
    holder: str | None = None
    programme: str | None = None
    district: int | None = None
    state: State | None = None
    since: date | None = None
    until: date | None = None

    def address(self) -> dict[str, str]:
        """Return the URL arguments that ask for the same list; filters that are not set are left out."""
        facts = {
            "number": self.number,
            "holder": self.holder,
            "programme": self.programme,
            "district": self.district,
            "state": self.state.value if self.state else None,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }
        return {name: str(value) for name, value in facts.items() if value is not None}

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> "CertificateFilters":
        """Return the filters from the arguments that `address` gave."""
        return cls(
            number=arguments.get("number"),
            holder=arguments.get("holder"),
            programme=arguments.get("programme"),
            district=int(arguments["district"]) if "district" in arguments else None,
            state=State(arguments["state"]) if "state" in arguments else None,
            since=date.fromisoformat(arguments["since"]) if "since" in arguments else None,
            until=date.fromisoformat(arguments["until"]) if "until" in arguments else None,
        )

    def conditions(self, today: date) -> list[ColumnElement[bool]]:
        """Return the SQL conditions on `Certificate`; states are those of the day `today`."""
        conditions: list[ColumnElement[bool]] = []
        if self.number:
            conditions.append(begins(PLAIN_NUMBER, plain_number(self.number)))
        if self.holder:
            conditions.append(begins(HOLDER, self.holder.lower()))
        if self.programme:
            conditions.append(Certificate.facts["programme"].astext == self.programme)
        if self.district is not None:
            of_district = select(Enrolment.id).join(Offering).where(Offering.district_id == self.district)
            conditions.append(Certificate.enrolment_id.in_(of_district))
        if self.state is not None:
            conditions.append(states.sql_condition(self.state, today))
        if self.since is not None:
            conditions.append(Certificate.issued_on >= self.since)
        if self.until is not None:
            conditions.append(Certificate.issued_on <= self.until)
        return conditions


def listing(
    db: Session,
    scope: Scope,
    filters: CertificateFilters,
    *,
    today: date,
    place: Place = FIRST,
    order: Order = ORDERS[0],
) -> KeyPage[Certificate]:
    """Return a page of the certificates within the scope in an order of `ORDERS`.

    Those of a number or of a holder stand in the order of what was searched for, so that the exact one comes first.
    """
    if filters.number:
        order = Order("number", (PLAIN_NUMBER, Certificate.id))
    elif filters.holder:
        order = Order("holder", (HOLDER, Certificate.id))
    conditions = filters.conditions(today)
    if not scope.everything and trainee_search.is_of_few(db, scope):
        statement = visible(select(Certificate.id).where(*conditions), Certificate, scope)
        page: KeyPage[Any] = page_of_set(db.scalars(statement.order_by(*order.by())).all(), place)
        rows = {row.id: row for row in db.scalars(select(Certificate).where(Certificate.id.in_(page.rows)))}
        return replace(page, rows=[rows[row_id] for row_id in page.rows])
    listed = select(Certificate).where(Certificate.reached_by(scope), *conditions)
    return page_by_key(db, [Part(listed, order)], place)


def of_number(db: Session, scope: Scope, number: str, *, most: int) -> Sequence[Certificate]:
    """Return the certificates within the scope whose number begins with a text, the exact number first."""
    numbered = begins(PLAIN_NUMBER, plain_number(number))
    statement = select(Certificate).where(numbered, Certificate.reached_by(scope)).order_by(PLAIN_NUMBER).limit(most)
    return db.scalars(statement).all()


def plain_number(number: str) -> str:
    """The form of a number that is compared: letters and digits, without hyphens and spaces."""
    return "".join(character for character in number.upper() if character.isalnum())


def programmes(db: Session) -> Sequence[Programme]:
    """Return all programmes in their order, for the choice in a form."""
    return db.scalars(select(Programme).order_by(Programme.position)).all()
