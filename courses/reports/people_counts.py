"""The number of distinct people of a report: by row, in all rows, and in the whole branch.

People do not add up over rows. They are counted exactly, for any question, from the participants in memory
(`courses.counting.participants`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from courses.reports import lines
from courses.reports.questions import Question

if TYPE_CHECKING:
    from courses.reports.selection import Selection


@dataclass(frozen=True)
class PeopleCounts:
    """Distinct people by the key of the row, in all rows together, and in the whole branch."""

    rows: Mapping[str, int]
    all_rows: int
    branch: int


def count_people(db: Session, question: Question) -> PeopleCounts:
    """Count the distinct people of a question."""
    return people_of(lines.selected(db, question, branch=not question.covers_branch))


def people_of(selection: "Selection") -> PeopleCounts:
    """Count the distinct people of the lines that were selected for a question."""
    people = selection.people()
    rows = {selection.keys[number]: int(people.groups[number]) for number in people.groups.nonzero()[0].tolist()}
    return PeopleCounts(rows, people.all_groups, people.everybody)
