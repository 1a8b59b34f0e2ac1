"""Ledger lines for the certificates of past trainings, which the rows of a chunk name."""

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from courses.counting.quarters import Quarter
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.quarters import FrozenQuarter
from lms.core import audit, clock


def count_certificates(db: Session) -> None:
    """Count the certificates in the temporary table `placed`: one ledger line for each offering and day of issue.

    Where the quarter of that day is frozen, the line is dated by the first day of the first quarter after it that is
    open, as in `person_time.record_certificates`.
    """
    rows = db.execute(
        text(
            "SELECT offering_id, issued_on, count(*) FROM placed WHERE certificate IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ).all()
    if not rows:
        return
    frozen = {Quarter(year, number) for year, number in db.execute(select(FrozenQuarter.year, FrozenQuarter.quarter))}
    lines = []
    for offering_id, day, number in rows:
        quarter = Quarter.of(day)
        while quarter in frozen:
            quarter = quarter.next
            day = quarter.first  # noqa: PLW2901  # the line is dated in the first open quarter
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
