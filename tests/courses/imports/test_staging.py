"""Lines of COPY: what is written to the staging tables is what is read back."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import staging
from courses.models.imports import ImportLine, ImportPerson, ImportRun, RowOutcome
from lms.core.errors import DomainError

AWKWARD = "a\tb\\c\nd\re\x00f “引号” \\N"


def test_parsed_and_refused_lines_are_read_back(db: Session) -> None:
    error = DomainError("district", "There is no district “%(text)s”.", text=AWKWARD.replace("\x00", ""))
    lines = [staging.parsed_line(7, 2, {"name": "王\t小明"}, "k"), staging.refused_line(7, 3, error)]
    staging.copy_lines(db, "import_line", staging.LINE_COLUMNS, lines)
    parsed, refused = db.scalars(select(ImportLine).where(ImportLine.run_id == 7).order_by(ImportLine.line))
    assert (parsed.outcome, parsed.code, parsed.facts, parsed.key) == (RowOutcome.NEW, None, {"name": "王\t小明"}, "k")
    assert (refused.outcome, refused.code, refused.facts, refused.key) == (RowOutcome.REFUSED, "district", None, None)
    assert refused.params == {"message": error.message, "text": AWKWARD.replace("\x00", "")}


def test_none_is_null_and_control_characters_are_escaped() -> None:
    assert staging.copy_line(["1", None, AWKWARD]) == b"1\t\\N\ta\\tb\\\\c\\nd\\ref \xe2\x80\x9c" + "引号".encode() + (
        b"\xe2\x80\x9d \\\\N\n"
    )
    assert json.loads(json.dumps(AWKWARD)) == AWKWARD


def test_the_last_person_of_a_chunk(db: Session) -> None:
    db.add_all(ImportPerson(run_id=7, line=line) for line in (2, 5, 9))
    db.flush()
    run = ImportRun(id=7, cursor=0)
    assert [staging.last_person_line(db, run, chunk) for chunk in (1, 2, 9)] == [2, 5, 9]
    run.cursor = 9
    assert staging.last_person_line(db, run, 2) is None
