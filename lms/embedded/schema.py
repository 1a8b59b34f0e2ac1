"""Compares the database's migration with the code's, without loading the application or Alembic.

Loading both takes longer than the rest of a second start, and almost every start finds nothing to do.
"""

import ast
from pathlib import Path

import psycopg

from lms.config import ROOT
from lms.embedded.failure import StartError

VERSIONS = ROOT / "migrations" / "versions"


def revisions(folder: Path = VERSIONS) -> dict[str, str | None]:
    """Each migration and the one it follows, read from the files' own `revision` and `down_revision`."""
    revision_by_id: dict[str, str | None] = {}
    for path in sorted(folder.glob("*.py")):
        values: dict[str, str | None] = {}
        for statement in ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body:
            target, value = _assigned(statement)
            if target in {"revision", "down_revision"} and isinstance(value, ast.Constant):
                values[target] = value.value if isinstance(value.value, str) else None
        if revision := values.get("revision"):
            revision_by_id[revision] = values.get("down_revision")
    return revision_by_id


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return "", None


def is_current(url: str, folder: Path = VERSIONS) -> bool:
    """Tell whether the database is at the newest migration.

    Raises StartError if it is at a migration that this code does not know: an older program must not touch the data of a newer.
    """
    known = revisions(folder)
    newest = set(known) - set(known.values())
    with psycopg.connect(plain(url)) as connection:
        table = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if table is None or not table[0]:
            return False
        current = {str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")}
    if unknown := current - set(known):
        cause = f"the database was written by a newer version of this program (migration {min(unknown)})"
        raise StartError(f"{cause}; update the program")
    return current == newest


def is_empty(url: str, table: str) -> bool:
    """Tell whether the table has no rows."""
    with psycopg.connect(plain(url)) as connection:
        statement = psycopg.sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(psycopg.sql.Identifier(table))
        row = connection.execute(statement).fetchone()
    return row is not None and bool(row[0])


def plain(url: str) -> str:
    """SQLAlchemy's address as libpq understands it."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
