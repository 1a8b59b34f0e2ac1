"""Scopes: the rows that a user may see, decided in one place.

Each model says which of its rows a `Scope` covers (`visible_to`); views load rows only through `fetch` and lists only
through `visible`. A row of another district is not found, exactly as a row that does not exist.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session

from lms.core.errors import NotFound


class Role(StrEnum):
    """A role. A user may have several, each for a district or an organisation of its own."""

    TRAINEE = "trainee"
    INSTRUCTOR = "instructor"
    COORDINATOR = "coordinator"
    DISTRICT_ADMINISTRATOR = "district_administrator"
    CITY_ADMINISTRATOR = "city_administrator"
    AUDITOR = "auditor"


# To build a SQLAlchemy statement takes longer than PostgreSQL takes to execute it. So statements are cached by their
# question and the `reach` of the scope; this is the size of each cache.
CACHED_STATEMENTS = 64

ADMINISTRATORS = (Role.DISTRICT_ADMINISTRATOR, Role.CITY_ADMINISTRATOR)
READERS = (*ADMINISTRATORS, Role.AUDITOR)
STAFF = (Role.COORDINATOR, *ADMINISTRATORS)
# These roles take attendance: roster, headcount, walk-ins, paper sheet, self check-in code, review queue.
ATTENDANCE_TAKERS = (Role.INSTRUCTOR, *STAFF)
# These roles see offerings, their enrolments and sessions, and their certificates.
OFFERING_READERS = (*ATTENDANCE_TAKERS, Role.AUDITOR)
# These roles see the register of trainees.
STAFF_READERS = (*STAFF, Role.AUDITOR)
# These roles enter results, close sessions and correct what is closed.
EXAMINERS = (Role.INSTRUCTOR, *ADMINISTRATORS)


@dataclass(frozen=True)
class Scope:
    """The rows that the grants used for this request cover.

    Made of those grants alone that the view accepts, so a coordinator's reach never widens an administrator's.
    """

    everything: bool = False
    district_ids: frozenset[int] = field(default_factory=frozenset)
    organisation_ids: frozenset[int] = field(default_factory=frozenset)
    instructor_user_id: int | None = None
    trainee_user_id: int | None = None
    user_id: int | None = None
    read_only: bool = False

    @property
    def reach(self) -> "Scope":
        """The scope without its user: the key by which statements may be cached."""
        return replace(self, user_id=None, read_only=False)

    def covers(
        self,
        *,
        district: Any = None,
        organisation: Any = None,
        instructor: ColumnElement[bool] | None = None,
        trainee: ColumnElement[bool] | None = None,
    ) -> ColumnElement[bool]:
        """The SQL condition of the scope.

        district, organisation: the columns to compare. instructor, trainee: the conditions under which a row is the
        user's own.
        """
        if self.everything:
            return true()
        conditions: list[ColumnElement[bool]] = []
        if self.district_ids and district is not None:
            conditions.append(district.in_(self.district_ids))
        if self.organisation_ids and organisation is not None:
            conditions.append(organisation.in_(self.organisation_ids))
        if self.instructor_user_id is not None and instructor is not None:
            conditions.append(instructor)
        if self.trainee_user_id is not None and trainee is not None:
            conditions.append(trainee)
        return or_(false(), *conditions)


EVERYTHING = Scope(everything=True)


class Scoped(Protocol):
    """A model that can be filtered by a scope."""

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The condition under which the scope covers a row."""
        ...


M = TypeVar("M", bound=Scoped)
S = TypeVar("S", bound=Select[Any])


def visible(statement: S, model: type[Scoped], scope: Scope) -> S:
    """Filter a SELECT from `model` by the scope."""
    return statement.where(model.visible_to(scope))


def fetch(db: Session, model: type[M], identity: object, scope: Scope, *, by: Any = None, lock: bool = False) -> M:
    """The row with a primary key, if the scope covers it. Raises NotFound otherwise. by: another unique column."""
    column = model.id if by is None else by  # type: ignore[attr-defined]
    statement = visible(select(model).where(column == identity), model, scope)
    if lock:
        statement = statement.with_for_update(of=model)
    row = db.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    return row
