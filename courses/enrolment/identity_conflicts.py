"""Identity conflicts: an ID number that was entered with another name than its record's.

The refusal says nothing of the record. It is audited, and whoever causes many on one day is stopped, because trying names
for a number would otherwise find whose it is.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy.orm import Session

from courses.enrolment import daily_counts
from courses.enrolment.trainees import TraineeFacts
from courses.models.daily_counts import CountedAct
from courses.models.trainees import Trainee
from lms.core import audit
from lms.core.errors import N_, DomainError


def refuse_after_many(db: Session, people: Iterable[TraineeFacts], today: date) -> None:
    """Refuse every ID number of a user who has entered many with other names today, before any record is looked up.

    Raises DomainError `too_many_conflicts`.
    """
    if not any(facts.id_number for facts in people):
        return
    if daily_counts.count_of(db, CountedAct.CONFLICT, audit.actor(db), today) >= daily_counts.CONFLICTS_PER_DAY:
        raise DomainError(
            "too_many_conflicts",
            N_("Too many ID numbers today did not agree with the names. Enrol without ID numbers, or ask the city."),
            status=429,
            field="id_number",
        )


def count(db: Session, records: Sequence[Trainee], today: date) -> bool:
    """Count and audit the records whose ID numbers were entered with other names.

    Returns False when the user has now passed the limit of the day.
    """
    total = daily_counts.add(db, CountedAct.CONFLICT, audit.actor(db), today, len(records))
    for record in records[: daily_counts.CONFLICTS_PER_DAY]:
        audit.record(db, "trainee.conflict", record)
    return total <= daily_counts.CONFLICTS_PER_DAY
