"""Counting the certificates that the rows of a chunk name (the temporary table `placed`)."""

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from courses.counting.quarters import Quarter
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.quarters import FrozenQuarter
from lms.core import audit, clock


def certify(db: Session) -> None:
    """Certificates are dated as issued; of a frozen quarter, by the first day of the first one that is open."""
    rows = db.execute(
        text(
            "SELECT offering_id, issued_on, count(*) FROM placed WHERE certificate IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ).all()
    if not rows:
        return
    shut = {Quarter(year, number) for year, number in db.execute(select(FrozenQuarter.year, FrozenQuarter.quarter))}
    lines = []
    for offering_id, day, number in rows:
        quarter = Quarter.of(day)
        while quarter in shut:
            quarter = quarter.next
            day = quarter.first  # noqa: PLW2901  # the first open day after it
        lines.append(
            {
                "offering_id": offering_id,
                "kind": EntryKind.CERTIFICATION,
                "dated_on": day,
                "recorded_at": clock.now(),
                "recorded_by": audit.actor(db),
                "certificates": number,
            }
        )
    db.execute(insert(PersonTimeEntry), lines)
