"""Targets: the person-times that a district is to reach in a programme in a year, and how far each was reached.

The city's administrators set them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.opening_balances import OpeningBalance
from courses.models.rollups import PersonTimeMonth
from courses.models.targets import Target
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope
from lms.organisations import districts
from lms.organisations.models import District

LARGEST_TARGET = 10_000_000

# A target is set for the code of a programme and the id of a district.
TargetKey = tuple[str, int]


@dataclass(frozen=True)
class TargetProgress:
    """The person-times reached, `opening` balances among them, and the target; None where no target was set."""

    target: int | None
    person_times: int
    opening: int = 0

    @property
    def share(self) -> float | None:
        """The part of the target that was reached: 1.0 is the whole target. None without a target."""
        return None if self.target is None else self.person_times / self.target

    def __add__(self, other: "TargetProgress") -> "TargetProgress":
        targets = [progress.target for progress in (self, other) if progress.target is not None]
        return TargetProgress(
            sum(targets) if targets else None, self.person_times + other.person_times, self.opening + other.opening
        )


@dataclass(frozen=True)
class YearTargets:
    """The targets of a year in the districts that the scope covers. `branch`: of all districts, by programme."""

    year: int
    programmes: list[Programme]
    districts: list[District]
    cells: Mapping[TargetKey, TargetProgress]
    branch: Mapping[str, TargetProgress]

    @property
    def branch_total(self) -> TargetProgress:
        """All programmes in all districts."""
        return sum(self.branch.values(), TargetProgress(None, 0))

    def of_district(self, district_id: int) -> TargetProgress:
        """The sum of all programmes in a district."""
        return self._sum(place for place in self.cells if place[1] == district_id)

    def of_programme(self, code: str) -> TargetProgress:
        """The sum of a programme over the districts that the scope covers."""
        return self._sum(place for place in self.cells if place[0] == code)

    @property
    def total(self) -> TargetProgress:
        """All programmes in the districts that the scope covers."""
        return self._sum(self.cells)

    def _sum(self, places: Iterable[TargetKey]) -> TargetProgress:
        return sum((self.cells[place] for place in places), TargetProgress(None, 0))


def read(db: Session, year: int, scope: Scope) -> YearTargets:
    """Return the targets of a year and the person-times that count for its days, in five statements."""
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
        place: TargetProgress(targets.get(place), counted.get(place, 0) + opening.get(place, 0), opening.get(place, 0))
        for place in places
    }
    branch = {programme.code: _of_programme(programme.code, targets, counted, opening) for programme in programmes}
    return YearTargets(year, programmes, covered, cells, branch)


@dataclass(frozen=True)
class BehindTarget:
    """A target of a district in a programme of which less is reached than of the year has passed.

    due: the person-times that the part of the year which has passed would ask for, rounded down.
    """

    programme: Programme
    district: District
    target: int
    person_times: int
    due: int

    @property
    def share(self) -> float:
        """The part of the target that is reached."""
        return self.person_times / self.target


def elapsed(year: int, today: date) -> float:
    """The part of a year that has passed at the end of a day: 0 before the year, 1 after it."""
    if today.year != year:
        return 0.0 if today.year < year else 1.0
    first, last = date(year, 1, 1), date(year, 12, 31)
    return ((today - first).days + 1) / ((last - first).days + 1)


def behind(year_targets: YearTargets, today: date) -> list[BehindTarget]:
    """The targets that are behind: the share reached is less than the share of the year that has passed.

    For example, 499 of 1,000 on the evening of 2 July, when half of the year is over. The farthest behind comes first.
    """
    passed = elapsed(year_targets.year, today)
    rows = [
        BehindTarget(programme, district, reached.target, reached.person_times, int(reached.target * passed))
        for programme in year_targets.programmes
        for district in year_targets.districts
        if (reached := year_targets.cells[programme.code, district.id]).target
        and reached.person_times < reached.target * passed
    ]
    return sorted(rows, key=lambda row: row.share)


def sum_of_year(db: Session, year: int, scope: Scope, programme: str | None, district: int | None) -> int | None:
    """The sum of a year's targets within the scope, of one programme or district if asked. None where none is set."""
    statement = select(func.sum(Target.person_times)).where(
        Target.year == year, scope.covers(district=Target.district_id)
    )
    if programme is not None:
        statement = statement.where(Target.programme_code == programme)
    if district is not None:
        statement = statement.where(Target.district_id == district)
    return db.scalar(statement)


def _of_programme(
    code: str, targets: Mapping[TargetKey, int], counted: Mapping[TargetKey, int], opening: Mapping[TargetKey, int]
) -> TargetProgress:
    of_targets, of_counted, of_opening = (
        [number for place, number in figures.items() if place[0] == code] for figures in (targets, counted, opening)
    )
    target = sum(of_targets) if of_targets else None
    return TargetProgress(target, sum(of_counted) + sum(of_opening), sum(of_opening))


def _counted(db: Session, year: int) -> dict[TargetKey, int]:
    rows = db.execute(
        select(
            Course.programme_code,
            PersonTimeMonth.district_id,
            func.sum(PersonTimeMonth.named + PersonTimeMonth.counted),
        )
        .join(Course, Course.id == PersonTimeMonth.course_id)
        .where(PersonTimeMonth.month.between(date(year, 1, 1), date(year, 12, 31)))
        .group_by(Course.programme_code, PersonTimeMonth.district_id)
    )
    return {(code, district): int(number) for code, district, number in rows}


def _opening(db: Session, year: int) -> dict[TargetKey, int]:
    rows = db.execute(
        select(OpeningBalance.programme_code, OpeningBalance.district_id, func.sum(OpeningBalance.person_times))
        .where(OpeningBalance.active, OpeningBalance.month.between(date(year, 1, 1), date(year, 12, 31)))
        .group_by(OpeningBalance.programme_code, OpeningBalance.district_id)
    )
    return {(code, district): int(number) for code, district, number in rows}


def save(db: Session, year: int, targets: Mapping[TargetKey, int | None], seen: Mapping[TargetKey, int | None]) -> int:
    """Set targets of a year; None removes a target. Returns the number of changes.

    seen: the targets that the page showed before it was filled in; a target that equals it was not changed on the page
    and is left alone. Raises DomainError `target_changed` where another person set a target meanwhile, so that it is
    not overwritten without having been seen. Example: the page showed 20, the form says 30, the database has 25 by now.
    """
    changes = {place: number for place, number in targets.items() if number != seen.get(place)}
    stored = {
        (row.programme_code, row.district_id): row.person_times
        for row in db.scalars(select(Target).where(Target.year == year).with_for_update())
    }
    for place, number in changes.items():
        if stored.get(place) not in {seen.get(place), number}:
            raise DomainError(
                "target_changed",
                N_("Another user changed these targets in the meantime. Reload the page and enter yours again."),
                status=409,
            )
        code, district = place
        before = stored.get(place)
        if before == number:
            continue
        if number is None:
            db.execute(
                delete(Target).where(Target.year == year, Target.programme_code == code, Target.district_id == district)
            )
        else:
            statement = insert(Target).values(year=year, programme_code=code, district_id=district, person_times=number)
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
