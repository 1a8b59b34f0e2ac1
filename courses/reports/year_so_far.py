"""The year so far: by month beside the year before, against the targets, by programme and by district.

The numbers are those of the enrolment report for the same days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import targets
from courses.counting.targets import TargetProgress, YearTargets
from courses.models.catalogue import Programme
from courses.reports import lines
from courses.reports.questions import Filters, Grouping, Question
from lms.core.scope import Scope
from lms.organisations import districts
from lms.organisations.models import District


@dataclass(frozen=True)
class YearPart:
    """A programme, a district or everything: person-times of this year beside the same days of the year before.

    key: the code of the programme or the id of the district; "" for everything. months: of this year, January first, as
    many as have begun. months_before: all twelve of the year before. progress: against the target; None without one.
    """

    key: str
    name_zh: str
    name_en: str
    person_times: int
    before: int
    months: tuple[int, ...]
    months_before: tuple[int, ...]
    progress: TargetProgress | None = None

    @property
    def difference(self) -> int:
        """Person-times more than in the same days of the year before; fewer where it is negative."""
        return self.person_times - self.before

    @property
    def change(self) -> float | None:
        """The difference as a part of the year before: 0.1 is a tenth more. None where that year has nothing."""
        return self.difference / self.before if self.before else None


@dataclass(frozen=True)
class Certified:
    """Certificates issued, and the participations by name that they belong to."""

    certificates: int
    named: int

    @property
    def share(self) -> float | None:
        """The part of the participations by name that gave a certificate; None where there are none."""
        return self.certificates / self.named if self.named else None


@dataclass(frozen=True)
class YearSoFar:
    """The figures of a year from 1 January to a day (`since` to `until`), within a scope.

    elapsed: the part of the year that has passed. certified, certified_before: of this year and of the same days of the
    year before.
    """

    since: date
    until: date
    elapsed: float
    total: YearPart
    programmes: tuple[YearPart, ...]
    districts: tuple[YearPart, ...]
    certified: Certified
    certified_before: Certified


@dataclass(frozen=True)
class _Sum:
    """The sums of one month (1 to 12), programme and district."""

    month: int
    programme: str
    district: int
    person_times: int
    named: int
    certificates: int


def read(db: Session, scope: Scope, today: date, year_targets: YearTargets | None) -> YearSoFar:
    """Return the year so far within a scope.

    year_targets: those of the year, as `targets.read` gives them; None for a scope that has none, such as a host's.
    """
    first = date(today.year, 1, 1)
    so_far = Filters(first, today, grouping=Grouping.MONTH)
    before = so_far.a_year_before()
    last_year = replace(before, until=date(before.since.year, 12, 31))
    sums, earlier, earlier_so_far = (_sums(db, filters, scope) for filters in (so_far, last_year, before))
    if year_targets is None:
        programmes = list(db.scalars(select(Programme).order_by(Programme.position)))
        covered = districts.administered(db, scope)
    else:
        programmes, covered = year_targets.programmes, year_targets.districts

    def part(place: Programme | District | None) -> YearPart:
        own, own_earlier, own_so_far = (_of(place, rows) for rows in (sums, earlier, earlier_so_far))
        return YearPart(
            key="" if place is None else place.code if isinstance(place, Programme) else str(place.id),
            name_zh=place.name_zh if place else "",
            name_en=place.name_en if place else "",
            person_times=_person_times(own),
            before=_person_times(own_so_far),
            months=_by_month(own, today.month),
            months_before=_by_month(own_earlier, 12),
            progress=_progress(year_targets, place),
        )

    return YearSoFar(
        since=first,
        until=today,
        elapsed=targets.elapsed(today.year, today),
        total=part(None),
        programmes=tuple(part(programme) for programme in programmes),
        districts=tuple(part(district) for district in covered),
        certified=_certified(sums),
        certified_before=_certified(earlier_so_far),
    )


def _sums(db: Session, filters: Filters, scope: Scope) -> Sequence[_Sum]:
    """The sums of a period within one year."""
    return [
        _Sum(int(key[-2:]), programme, district, figures.person_times, figures.named, figures.certificates)
        for programme, district, key, figures in lines.selected(
            db, Question(filters, scope)
        ).by_programme_and_district()
    ]


def _of(place: Programme | District | None, sums: Sequence[_Sum]) -> Sequence[_Sum]:
    """The sums of a programme or a district; None stands for everything."""
    if place is None:
        return sums
    if isinstance(place, Programme):
        return [row for row in sums if row.programme == place.code]
    return [row for row in sums if row.district == place.id]


def _progress(year_targets: YearTargets | None, place: Programme | District | None) -> TargetProgress | None:
    if year_targets is None:
        return None
    if place is None:
        progress = year_targets.total
    elif isinstance(place, District):
        progress = year_targets.of_district(place.id)
    else:
        progress = year_targets.of_programme(place.code)
    return None if progress.target is None else progress


def _person_times(sums: Iterable[_Sum]) -> int:
    return sum(row.person_times for row in sums)


def _by_month(sums: Iterable[_Sum], months: int) -> tuple[int, ...]:
    numbers = [0] * months
    for row in sums:
        numbers[row.month - 1] += row.person_times
    return tuple(numbers)


def _certified(sums: Sequence[_Sum]) -> Certified:
    return Certified(sum(row.certificates for row in sums), sum(row.named for row in sums))
