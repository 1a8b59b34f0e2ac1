"""Personal data in imported files: the file, encrypted, and its rows until the import can no longer be undone."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from courses.imports import runs
from courses.models.imports import ImportAttendance, ImportLine, ImportPerson, ImportRun, ImportState
from lms.core import personal_data, retention_rules
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Subject, Whose
from lms.core.retention_rules import RetentionKind

UNFINISHED = N_("An import that names the person is not finished. Finish it first, or take it back.")
_SETTLED = (ImportState.DONE, ImportState.UNDONE)


def _obstacles(db: Session, subject: Subject) -> Iterable[str]:
    open_run = (
        select(ImportPerson.run_id)
        .join(ImportRun, ImportRun.id == ImportPerson.run_id)
        .where(ImportPerson.trainee_id.in_(subject.trainee_ids), ImportRun.state.not_in(_SETTLED))
    )
    if db.scalar(select(exists(open_run))):
        yield UNFINISHED


def _erase(db: Session, subject: Subject) -> Erased:
    """Delete the person's rows. An undo needs none of them: it goes by the offerings and by the records that were made."""
    person, line = aliased(ImportPerson), aliased(ImportLine)
    of_person = (
        select(line.line)
        .join(person, person.run_id == line.run_id)
        .where(
            person.trainee_id.in_(subject.trainee_ids),
            or_(line.line == person.line, line.person == person.line),
            line.run_id == ImportAttendance.run_id,
            line.line == ImportAttendance.line,
        )
    )
    result: Any = db.execute(
        delete(ImportAttendance).where(exists(of_person)).execution_options(synchronize_session=False)
    )
    return Erased(result.rowcount, ("files",))


def _due(db: Session, before: datetime) -> int:
    return runs.count_old(db, before)


def _erase_old(db: Session, before: datetime) -> Iterator[int]:
    yield runs.erase(db, before)


personal_data.register(
    DataKind(
        code="import",
        label=N_("Imported files"),
        purpose=N_("To take over registers and past trainings"),
        tables={
            "import_run": ("file_name", "sheet_name", "notes"),
            "import_piece": ("content",),
            "import_line": ("facts",),
            "import_attendance": ("name", "phone_sealed", "id_number_sealed"),
            "import_person": ("trainee_id",),
        },
        whose=(Whose.TRAINEE, Whose.INSTRUCTOR),
        basis=Basis.LEGAL_DUTY,
        retention="import",
        erase=_erase,
        obstacles=_obstacles,
    )
)
personal_data.leave_apart(
    {
        "import_mapping": N_("The headings and meanings that a user chose last"),
        "import_known_value": N_("What words of files stand for in the registers"),
    }
)
retention_rules.register(
    RetentionKind("import", N_("Imported files"), N_("finished"), due=_due, erase=_erase_old, fixed=True)
)
