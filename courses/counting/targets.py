"""Targets: the person-times that a district, or a sector, is to reach in a programme in a year, and how far each was reached.

The city's administrators set them. Those of districts and those of sectors are set apart, and need not add up to the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.opening_balances import OpeningBalance
from courses.models.rollups import PersonTimeHost, PersonTimeMonth
from courses.models.targets import SectorTarget, Target
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope
from lms.organisations import districts
from lms.organisations.models import District, Organisation, Sector

LARGEST_TARGET = 10_000_000

LARGEST_PERCENT = 1000  # of the targets that are copied

# A target is set for the code of a programme and the id of a district, or a sector.
TargetKey = tuple[str, int]
SectorKey = tuple[str, Sector]
Place = TypeVar("Place", TargetKey, SectorKey)


class _Table(NamedTuple):
    """A table of targets, and its column that says whose they are."""

    model: type[Target | SectorTarget]
    place: Any


_OF_DISTRICTS = _Table(Target, Target.district_id)
_OF_SECTORS = _Table(SectorTarget, SectorTarget.sector)


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


@dataclass(frozen=True)
class YearSectorTargets:
    """The targets of a year by sector, of the whole branch. Opening balances are of no sector, so they are not in it."""

    year: int
    programmes: list[Programme]
    cells: Mapping[SectorKey, TargetProgress]

    def of_sector(self, sector: Sector) -> TargetProgress:
        """The sum of all programmes in a sector."""
        cells = (progress for place, progress in self.cells.items() if place[1] == sector)
        return sum(cells, TargetProgress(None, 0))

    def of_programme(self, code: str) -> TargetProgress:
        """The sum of a programme over all sectors."""
        cells = (progress for place, progress in self.cells.items() if place[0] == code)
        return sum(cells, TargetProgress(None, 0))


def read(db: Session, year: int, scope: Scope) -> YearTargets:
    """Return the targets of a year and the person-times that count for its days, in five statements."""
    programmes = list(db.scalars(select(Programme).order_by(Programme.position)))
    covered = districts.administered(db, scope)
    targets = _stored(db, _OF_DISTRICTS, year)
    counted, opening = _counted(db, year), _opening(db, year)
    places = [(programme.code, district.id) for programme in programmes for district in covered]
    cells = {
        place: TargetProgress(targets.get(place), counted.get(place, 0) + opening.get(place, 0), opening.get(place, 0))
        for place in places
    }
    branch = {programme.code: _of_programme(programme.code, targets, counted, opening) for programme in programmes}
    return YearTargets(year, programmes, covered, cells, branch)


def read_sectors(db: Session, year: int) -> YearSectorTargets:
    """Return the targets of a year by sector and the person-times that count for its days, in three statements."""
    programmes = list(db.scalars(select(Programme).order_by(Programme.position)))
    targets = _stored(db, _OF_SECTORS, year)
    counted = db.execute(
        select(Course.programme_code, Organisation.sector, func.sum(PersonTimeHost.named + PersonTimeHost.counted))
        .join(Course, Course.id == PersonTimeHost.course_id)
        .join(Organisation, Organisation.id == PersonTimeHost.organisation_id)
        .where(PersonTimeHost.year == year)
        .group_by(Course.programme_code, Organisation.sector)
    )
    reached = {(code, Sector(sector)): int(number) for code, sector, number in counted}
    cells = {
        (programme.code, sector): TargetProgress(
            targets.get((programme.code, sector)), reached.get((programme.code, sector), 0)
        )
        for programme in programmes
        for sector in Sector
    }
    return YearSectorTargets(year, programmes, cells)


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
    total = db.scalar(statement)
    return None if total is None else int(total)


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
    """Set targets of districts in a year; None removes a target. Returns the number of changes.

    seen: the targets that the page showed before it was filled in; a target that equals it was not changed on the page
    and is left alone. Raises DomainError `target_changed` where another person set a target meanwhile, so that it is
    not overwritten without having been seen. Example: the page showed 20, the form says 30, the database has 25 by now.
    """
    return _save(db, _OF_DISTRICTS, year, targets, seen)


def save_sectors(
    db: Session, year: int, targets: Mapping[SectorKey, int | None], seen: Mapping[SectorKey, int | None]
) -> int:
    """Set targets of sectors in a year, as `save` does those of districts."""
    return _save(db, _OF_SECTORS, year, targets, seen)


def copy(db: Session, source: int, year: int, percent: int) -> int:
    """Set targets of a year to a percentage of another year's, rounded, where the year has none. Returns their number.

    Raises DomainError `percent` for less than 1 or more than `LARGEST_PERCENT`, and where a target would be too large.
    """
    if not 1 <= percent <= LARGEST_PERCENT:
        raise DomainError(
            "percent", N_("Enter a percentage from 1 to %(most)s."), field="percent", status=422, most=LARGEST_PERCENT
        )
    of_districts = _copied(db, _OF_DISTRICTS, source, year, percent)
    of_sectors = _copied(db, _OF_SECTORS, source, year, percent)
    if any(number > LARGEST_TARGET for number in chain(of_districts.values(), of_sectors.values())):
        raise DomainError(
            "percent", N_("A target would be larger than %(most)s."), field="percent", status=422, most=LARGEST_TARGET
        )
    return save(db, year, of_districts, {}) + save_sectors(db, year, of_sectors, {})


def _copied(db: Session, table: _Table, source: int, year: int, percent: int) -> dict[Any, int]:
    there = _stored(db, table, year)
    return {
        place: max(1, (number * percent + 50) // 100)
        for place, number in _stored(db, table, source).items()
        if place not in there
    }


def _stored(db: Session, table: _Table, year: int) -> dict[Any, int]:
    model = table.model
    rows = db.execute(select(model.programme_code, table.place, model.person_times).where(model.year == year))
    return {(code, place): number for code, place, number in rows}


def _save(
    db: Session, table: _Table, year: int, targets: Mapping[Place, int | None], seen: Mapping[Place, int | None]
) -> int:
    model, column = table
    changes = {place: number for place, number in targets.items() if number != seen.get(place)}
    db.execute(select(model.person_times).where(model.year == year).with_for_update())
    stored = _stored(db, table, year)
    for place, number in changes.items():
        if stored.get(place) not in {seen.get(place), number}:
            raise DomainError(
                "target_changed",
                N_("Another user changed these targets in the meantime. Reload the page and enter yours again."),
                status=409,
            )
        code, of = place
        before = stored.get(place)
        if before == number:
            continue
        if number is None:
            db.execute(delete(model).where(model.year == year, model.programme_code == code, column == of))
        else:
            statement = insert(model).values(
                {"year": year, "programme_code": code, column.key: of, "person_times": number}
            )
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=["year", "programme_code", column.key], set_={"person_times": number}
                )
            )
        audit.record(
            db,
            "target.set",
            f"{model.__tablename__}:{year}:{code}:{of}",
            before={"person_times": before},
            after={"person_times": number},
        )
    return len(changes)
