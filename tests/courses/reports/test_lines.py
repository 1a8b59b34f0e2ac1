"""The lines of a question are selected without numpy being loaded before the first question."""

import subprocess
import sys

from sqlalchemy.orm import Session

from courses.reports import lines
from tests.courses.reports.asking import ask


def test_nothing_is_selected_of_an_empty_ledger(db: Session) -> None:
    selection = lines.selected(db, ask(), branch=True)
    assert (selection.lines.size, selection.figures(), selection.people().everybody) == (0, {}, 0)


def test_the_reports_load_numpy_with_the_first_question_alone() -> None:
    program = "import sys, courses.reports.indicators, courses.reports.people; print('numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "False"
