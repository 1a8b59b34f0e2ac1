"""List of certificates with its filters, for the people who run the training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from certificates import states
from certificates.models import Certificate
from certificates.states import State
from courses.models.catalogue import Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core.paging import Page, page_of
from lms.core.scope import Scope, visible


@dataclass(frozen=True, slots=True)
class CertificateFilters:
    """The filters of the list; None filters nothing. `number` and `holder` match any part.

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
            plain = "".join(character for character in self.number.upper() if character.isalnum())
            conditions.append(func.replace(Certificate.number, "-", "").contains(plain, autoescape=True))
        if self.holder:
            conditions.append(Certificate.holder_name.icontains(self.holder, autoescape=True))
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


def listing(db: Session, scope: Scope, filters: CertificateFilters, *, today: date, page: int) -> Page[Certificate]:
    """Return a page of the certificates within the scope, newest first."""
    statement = visible(select(Certificate), Certificate, scope).where(*filters.conditions(today))
    return page_of(db, statement.order_by(Certificate.id.desc()), page)


def programmes(db: Session) -> Sequence[Programme]:
    """Return all programmes in their order, for the choice in a form."""
    return db.scalars(select(Programme).order_by(Programme.position)).all()
