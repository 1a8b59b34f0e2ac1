"""Names of the programmes, for qualifications.

Programmes belong to the package `courses`, which imports `instructors`; so this module reads the table without its
model.
"""

from dataclasses import dataclass

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

PROGRAMME = table("programme", column("code"), column("name_zh"), column("name_en"), column("position"))


@dataclass(frozen=True)
class ProgrammeName:
    """Code and name of a programme."""

    code: str
    name_zh: str
    name_en: str


def all_by_code(db: Session) -> dict[str, ProgrammeName]:
    """Return all programmes by code, in their order."""
    columns = (PROGRAMME.c.code, PROGRAMME.c.name_zh, PROGRAMME.c.name_en)
    return {
        row.code: ProgrammeName(*row) for row in db.execute(select(*columns).order_by(PROGRAMME.c.position, columns[0]))
    }
