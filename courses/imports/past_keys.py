"""Imports of past trainings while FIELD_KEY is replaced.

An import compares its rows with one another and with the register by blind indexes, in SQL. While two field keys are
configured, equal values may have different indexes: those of the former key and those of the new one. So the rows of the
import are sealed anew first, and people are looked up by the indexes of their values under every key. With one key configured
none of this happens.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from courses.enrolment.trainees import LOCK_CLASS
from courses.imports import staging, statements
from courses.models.imports import ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core import crypto, resealing
from lms.core.value_locks import lock_stripes

FILE = "past.sql"
_TABLE = text(
    "CREATE TEMP TABLE indexed (line integer PRIMARY KEY, phone_indexes bytea[], id_number_indexes bytea[]) ON COMMIT DROP"
)
_SEALED = text(
    "SELECT said.line, said.ref, said.phone_sealed, said.id_number_sealed FROM wanted"
    " JOIN import_attendance AS said ON said.run_id = :run AND said.line = wanted.line ORDER BY said.line"
)


def several() -> bool:
    """Tell whether several field keys are configured, as while one is replaced."""
    return len(crypto.cipher().numbers) > 1


def unify(db: Session, run: ImportRun) -> None:
    """Give all rows of an import the indexes of one key, so that equal people in the file have equal indexes."""
    if several():
        resealing.reseal_rows(db, "import_attendance", "run_id = :run", run=run.id)


def find(db: Session, run: ImportRun, *, lock: bool = False) -> None:
    """Make the temporary table `found` of the people in `wanted`.

    lock: let nobody else register these people until the commit. The unique index alone keeps doubles away as long as all
    processes index with one key.
    """
    if not several():
        statements.execute(db, FILE, "find")
        return
    cipher, lines, locked = crypto.cipher(), [], set()
    for line, ref, phone, number in db.execute(_SEALED, {"run": run.id}):
        fields = [str(line)]
        for column, sealed in ((PHONE_COLUMN, phone), (ID_NUMBER_COLUMN, number)):
            indexes = cipher.blind_indexes(column, cipher.decrypt(column, ref, sealed)) if sealed else []
            locked.update(indexes)
            fields.append("{" + ",".join(f'"\\\\x{index.hex()}"' for index in indexes) + "}")
        lines.append(staging.copy_line(fields))
    if lock:
        lock_stripes(db, LOCK_CLASS, locked)
    db.execute(_TABLE)
    staging.copy_lines(db, "indexed", ("line", "phone_indexes", "id_number_indexes"), lines)
    db.execute(text("ANALYZE indexed"))
    statements.execute(db, FILE, "find_under_keys")
    db.execute(text("DROP TABLE indexed"))
