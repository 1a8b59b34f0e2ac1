"""Targets by district, programme and year, and how far each was reached. Set by the city's administrators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.offerings import Offering
from courses.models.opening_balances import OpeningBalance
from courses.models.person_time import PersonTimeEntry
from courses.models.targets import Target
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope
from lms.organisations import districts
from lms.organisations.models import District

MOST = 10_000_000

# Programme code and district: what a target is set for.
Place = tuple[str, int]


@dataclass(frozen=True)
class Reached:
    """person_times: reached, with `opening`, totals from before the system. target: None where none was set."""

    target: int | None
    person_times: int
    opening: int = 0

    @property
    def share(self) -> float | None:
        """Reached of the target: 1.0 is all of it."""
        return None if self.target is None else self.person_times / self.target

    def __add__(self, other: "Reached") -> "Reached":
        targets = [one.target for one in (self, other) if one.target is not None]
        return Reached(
            sum(targets) if targets else None, self.person_times + other.person_times, self.opening + other.opening
        )


@dataclass(frozen=True)
class Year:
    """A year's targets in the districts that the scope covers. branch: of all districts, by programme."""

    year: int
    programmes: list[Programme]
    districts: list[District]
    cells: Mapping[Place, Reached]
    branch: Mapping[str, Reached]

    @property
    def whole(self) -> Reached:
        """Over the whole branch."""
        return sum(self.branch.values(), Reached(None, 0))

    def of_district(self, district_id: int) -> Reached:
        """Over all programmes."""
        return self._sum(place for place in self.cells if place[1] == district_id)

    def of_programme(self, code: str) -> Reached:
        """Over the districts shown."""
        return self._sum(place for place in self.cells if place[0] == code)

    @property
    def total(self) -> Reached:
        """Over everything shown."""
        return self._sum(self.cells)

    def _sum(self, places: object) -> Reached:
        return sum((self.cells[place] for place in places), Reached(None, 0))  # type: ignore[attr-defined]


def read(db: Session, year: int, scope: Scope) -> Year:
    """The year's targets, and the person-times counted for its days: five statements."""
    programmes = list(db.scalars(select(Programme).order_by(Programme.position)))
    covered = districts.administered(db, scope)
    targets = {
        (code, district): number
        for code, district, number in db.execute(
            select(Target.programme_code, Target.district_id, Target.person_times).where(Target.year == year)
        )
    }
    counted, opening = _counted(db, year), _opening(db, year)
    places = [(programme.code, district.id) for programme in programmes for district in covered]
    cells = {
        place: Reached(targets.get(place), counted.get(place, 0) + opening.get(place, 0), opening.get(place, 0))
        for place in places
    }
    branch = {programme.code: _of_programme(programme.code, targets, counted, opening) for programme in programmes}
    return Year(year, programmes, covered, cells, branch)


def _of_programme(
    code: str, targets: Mapping[Place, int], counted: Mapping[Place, int], opening: Mapping[Place, int]
) -> Reached:
    target, closed, before = (
        [number for place, number in of.items() if place[0] == code] for of in (targets, counted, opening)
    )
    return Reached(sum(target) if target else None, sum(closed) + sum(before), sum(before))


def _counted(db: Session, year: int) -> dict[Place, int]:
    rows = db.execute(
        select(
            Course.programme_code,
            Offering.district_id,
            func.sum(PersonTimeEntry.named + PersonTimeEntry.counted),
        )
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.dated_on.between(date(year, 1, 1), date(year, 12, 31)))
        .group_by(Course.programme_code, Offering.district_id)
    )
    return {(code, district): int(number) for code, district, number in rows}


def _opening(db: Session, year: int) -> dict[Place, int]:
    rows = db.execute(
        select(OpeningBalance.programme_code, OpeningBalance.district_id, func.sum(OpeningBalance.person_times))
        .where(OpeningBalance.active, OpeningBalance.month.between(date(year, 1, 1), date(year, 12, 31)))
        .group_by(OpeningBalance.programme_code, OpeningBalance.district_id)
    )
    return {(code, district): int(number) for code, district, number in rows}


def save(db: Session, year: int, wanted: Mapping[Place, int | None], shown: Mapping[Place, int | None]) -> int:
    """Set a year's targets; None takes one away. Gives the number of changes; what is as it was shown is left alone.

    shown: what the page had before it was filled in. Raises DomainError `target_changed` where somebody else set another
    meanwhile, so that nobody's number is overwritten unseen.
    """
    changes = {place: number for place, number in wanted.items() if number != shown.get(place)}
    now = {
        (row.programme_code, row.district_id): row.person_times
        for row in db.scalars(select(Target).where(Target.year == year).with_for_update())
    }
    for place, number in changes.items():
        if now.get(place) not in {shown.get(place), number}:
            raise DomainError(
                "target_changed",
                N_("Another user changed these targets in the meantime. Reload the page and enter yours again."),
                status=409,
            )
        code, district = place
        before = now.get(place)
        if before == number:
            continue
        if number is None:
            db.execute(
                delete(Target).where(Target.year == year, Target.programme_code == code, Target.district_id == district)
            )
        else:
            row = {"year": year, "programme_code": code, "district_id": district, "person_times": number}
            statement = insert(Target).values(row)
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=["year", "programme_code", "district_id"], set_={"person_times": number}
                )
            )
        audit.record(
            db,
            "target.set",
            f"target:{year}:{code}:{district}",
            before={"person_times": before},
            after={"person_times": number},
        )
    return len(changes)
