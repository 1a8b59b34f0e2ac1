"""The registered population (户籍人口) of each district by year: reports divide the trained people by it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from courses.models.population import Population
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.organisations import districts
from lms.organisations.models import District

LARGEST_POPULATION = 100_000_000
SOURCE_LIMIT = 200


@dataclass(frozen=True)
class DistrictPopulation:
    """The registered people of a district in one year, and the source of that figure; both None where none is entered."""

    district: District
    people: int | None
    source: str | None


def read(db: Session, year: int) -> list[DistrictPopulation]:
    """Return the figures of a year for every district, in the order of the districts."""
    entered = {row.district_id: row for row in db.scalars(select(Population).where(Population.year == year))}
    return [
        DistrictPopulation(
            district,
            entered[district.id].people if district.id in entered else None,
            entered[district.id].source if district.id in entered else None,
        )
        for district in districts.everyone(db)
    ]


def latest(db: Session, year: int) -> dict[int, tuple[int, int]]:
    """Map each district to its newest figure up to a year, as (people, year of the figure).

    Example: {1: (980000, 2016)}.
    """
    newest = (
        select(Population.district_id, func.max(Population.year).label("year"))
        .where(Population.year <= year)
        .group_by(Population.district_id)
        .subquery("newest")
    )
    rows = db.execute(
        select(Population.district_id, Population.people, Population.year).join(
            newest, (newest.c.district_id == Population.district_id) & (newest.c.year == Population.year)
        )
    )
    return {district: (people, of_year) for district, people, of_year in rows}


def save(db: Session, year: int, figures: Mapping[int, int | None], source: str | None) -> int:
    """Set the figures of a year, district → people; None removes a figure. Returns the number of changes.

    Raises DomainError when a figure is set without a source.
    """
    entered = {row.district_id: row for row in db.scalars(select(Population).where(Population.year == year))}
    changes = {
        district: people
        for district, people in figures.items()
        if people != (entered[district].people if district in entered else None)
    }
    if any(changes.values()) and not source:
        raise DomainError(
            "source_missing", N_("Enter the source of the figures, for example a yearbook."), field="source"
        )
    for district, people in changes.items():
        before = entered[district].people if district in entered else None
        if people is None:
            db.execute(delete(Population).where(Population.year == year, Population.district_id == district))
        else:
            db.merge(Population(district_id=district, year=year, people=people, source=source or ""))
        audit.record(
            db,
            "population.set",
            f"population:{year}:{district}",
            before={"people": before},
            after={"people": people, "source": source},
        )
    db.flush()
    return len(changes)
