"""The programmes that a qualification names.

Programmes belong to the courses, which stand above the instructors; a qualification needs no more than code and name.
"""

from dataclasses import dataclass

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

PROGRAMME = table("programme", column("code"), column("name_zh"), column("name_en"), column("position"))


@dataclass(frozen=True)
class ProgrammeName:
    """A programme, as it is called."""

    code: str
    name_zh: str
    name_en: str


def everyone(db: Session) -> dict[str, ProgrammeName]:
    """All programmes by code, in their order."""
    columns = (PROGRAMME.c.code, PROGRAMME.c.name_zh, PROGRAMME.c.name_en)
    return {
        row.code: ProgrammeName(*row) for row in db.execute(select(*columns).order_by(PROGRAMME.c.position, columns[0]))
    }
