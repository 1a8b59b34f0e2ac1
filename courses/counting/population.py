"""The registered population of each district, by year: what a share of the population is a share of."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from courses.models.population import Population
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.organisations import districts
from lms.organisations.models import District

MOST = 100_000_000
SOURCE_LIMIT = 200


@dataclass(frozen=True)
class Registered:
    """A district's figure and where it is from; both None where the year has none."""

    district: District
    people: int | None
    source: str | None


def read(db: Session, year: int) -> list[Registered]:
    """Every district, in the order of the districts."""
    known = {row.district_id: row for row in db.scalars(select(Population).where(Population.year == year))}
    return [
        Registered(
            district,
            known[district.id].people if district.id in known else None,
            known[district.id].source if district.id in known else None,
        )
        for district in districts.everyone(db)
    ]


def latest(db: Session, year: int) -> dict[int, tuple[int, int]]:
    """District → the newest figure up to a year, as (people, its year)."""
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
    return {district: (people, found) for district, people, found in rows}


def save(db: Session, year: int, wanted: Mapping[int, int | None], source: str | None) -> int:
    """Set a year's figures; None takes one away. Gives the number of changes. Raises DomainError without a source."""
    now = {row.district_id: row for row in db.scalars(select(Population).where(Population.year == year))}
    changes = {
        district: people
        for district, people in wanted.items()
        if people != (now[district].people if district in now else None)
    }
    if any(changes.values()) and not source:
        raise DomainError(
            "source_missing", N_("Say where the figures are from, for example a yearbook."), field="source"
        )
    for district, people in changes.items():
        before = now[district].people if district in now else None
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
