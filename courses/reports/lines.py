"""The lines of the ledger that answer a question, without numpy until the first question.

numpy is 30 MB and a tenth of a second, for a process that answers reports alone.
"""

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from courses.reports.questions import Question

if TYPE_CHECKING:
    from courses.reports.selection import Selection


def selected(db: Session, question: Question, *, branch: bool = False) -> "Selection":
    """Select the lines of a question. branch: also the lines of the rest of the branch."""
    from courses.reports.selection import select_lines  # noqa: PLC0415

    return select_lines(db, question, branch=branch)
