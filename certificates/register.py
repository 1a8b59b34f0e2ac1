"""Reading certificates: the list, one certificate's history, and how far an offering's issuing is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from certificates import states
from certificates.models import Certificate
from certificates.states import State
from courses.models.catalogue import Programme
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import Offering, OfferingState
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.paging import Page, page_of
from lms.core.scope import Scope, visible

WORKER_DELAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; None filters nothing. `number` and `holder` match anywhere, `since` and `until` are issue days.

    `district`: of the training.
    """

    number: str | None = None
    holder: str | None = None
    programme: str | None = None
    district: int | None = None
    state: State | None = None
    since: date | None = None
    until: date | None = None

    def address(self) -> dict[str, str]:
        """The arguments of an address that asks this again; what is not asked is left out."""
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
    def of(cls, asked: Mapping[str, str]) -> "Filters":
        """What `address` gave, read back."""
        return cls(
            number=asked.get("number"),
            holder=asked.get("holder"),
            programme=asked.get("programme"),
            district=int(asked["district"]) if "district" in asked else None,
            state=State(asked["state"]) if "state" in asked else None,
            since=date.fromisoformat(asked["since"]) if "since" in asked else None,
            until=date.fromisoformat(asked["until"]) if "until" in asked else None,
        )

    def conditions(self, today: date) -> list[ColumnElement[bool]]:
        """In SQL, of `Certificate`; states are those of today."""
        found: list[ColumnElement[bool]] = []
        if self.number:
            plain = "".join(character for character in self.number.upper() if character.isalnum())
            found.append(func.replace(Certificate.number, "-", "").contains(plain, autoescape=True))
        if self.holder:
            found.append(Certificate.holder_name.icontains(self.holder, autoescape=True))
        if self.programme:
            found.append(Certificate.facts["programme"].astext == self.programme)
        if self.district is not None:
            of_district = select(Enrolment.id).join(Offering).where(Offering.district_id == self.district)
            found.append(Certificate.enrolment_id.in_(of_district))
        if self.state is not None:
            found.append(states.condition(self.state, today))
        if self.since is not None:
            found.append(Certificate.issued_on >= self.since)
        if self.until is not None:
            found.append(Certificate.issued_on <= self.until)
        return found


def listing(db: Session, scope: Scope, filters: Filters, *, today: date, page: int) -> Page[Certificate]:
    """Certificates in reach, newest first."""
    statement = visible(select(Certificate), Certificate, scope).where(*filters.conditions(today))
    return page_of(db, statement.order_by(Certificate.id.desc()), page)


def programmes(db: Session) -> Sequence[Programme]:
    """The programmes to choose from."""
    return db.scalars(select(Programme).order_by(Programme.position)).all()


@dataclass(frozen=True, slots=True)
class Act:
    """One line of a certificate's history. `user` is None for the system itself."""

    at: datetime
    action: str
    user: str | None
    reason: str | None


def history(db: Session, certificate: Certificate) -> list[Act]:
    """What was done to a certificate, oldest first."""
    return acts_on(db, f"certificate:{certificate.id}")


def acts_on(db: Session, subject: str) -> list[Act]:
    """What the audit trail tells of a subject, oldest first."""
    statement = (
        select(AuditEntry.at, AuditEntry.action, User.name, AuditEntry.reason)
        .join(User, User.id == AuditEntry.user_id, isouter=True)
        .where(AuditEntry.subject == subject)
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [Act(row.at, row.action, row.name, row.reason) for row in db.execute(statement)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trainee of an offering: with a certificate, waiting for one, or with what stands in the way (codes)."""

    trainee: str
    certificate_id: int | None
    number: str | None
    state: State | None
    shortfalls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an offering's issuing is. `late`: the worker should have done it by now, so it does not run or has no key."""

    closed: bool
    issued: tuple[Candidate, ...]
    waiting: tuple[Candidate, ...]
    refused: tuple[Candidate, ...]
    late: bool

    @property
    def owed(self) -> int:
        """All that were ever due."""
        return len(self.issued) + len(self.waiting)


def progress(db: Session, offering: Offering, *, today: date) -> Progress:
    """Every trainee with a place in an offering, by name, and where the certificate stands. One statement.

    It is the last one of this offering: a correction's instead of the misspelt, and still this one's when another
    offering has renewed it.
    """
    later = aliased(Certificate)
    statement = (
        select(
            Trainee.name,
            Enrolment.certificate_due,
            Enrolment.certified_at,
            Enrolment.shortfalls,
            Certificate.id,
            Certificate.number,
            Certificate.issued_on,
            Certificate.valid_until,
            Certificate.revoked_at,
            Certificate.superseded_by_id,
        )
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(
            Certificate,
            (Certificate.enrolment_id == Enrolment.id)
            & ~exists().where(later.id == Certificate.superseded_by_id, later.enrolment_id == Enrolment.id),
            isouter=True,
        )
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE))
        .order_by(Trainee.name_key, Enrolment.id)
    )
    issued, waiting, refused = [], [], []
    for row in db.execute(statement):
        candidate = Candidate(row.name, row.id, row.number, _state(row, today), tuple(row.shortfalls))
        if row.id is not None:
            issued.append(candidate)
        elif row.certificate_due and row.certified_at is None:
            waiting.append(candidate)
        else:
            refused.append(candidate)
    closed = offering.state == OfferingState.CLOSED
    late = bool(waiting) and offering.closed_at is not None and clock.now() - offering.closed_at > WORKER_DELAY
    return Progress(closed, tuple(issued), tuple(waiting), tuple(refused), late)


def _state(row: Any, today: date) -> State | None:
    if row.id is None:
        return None
    return states.state_of(
        revoked=row.revoked_at is not None,
        superseded=row.superseded_by_id is not None,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        today=today,
    )
