"""The SQL statements of imports, read by name from the .sql files of this folder; and planner settings for them.

A file holds statements, each below a line `-- name: <name>`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

_HERE = Path(__file__).parent
# The types of parameters that PostgreSQL cannot infer from their place in a statement.
_CASTS = {"user": "bigint", "now": "timestamptz", "today": "date", "reason": "text"}


@lru_cache
def _statements(file: str) -> Mapping[str, str]:
    parts = re.split(r"^-- name: (\w+)$", (_HERE / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        name: re.sub(
            r"(?<!:):(user|now|today|reason)\b",
            lambda match: f"CAST(:{match[1]} AS {_CASTS[match[1]]})",
            re.sub(r"^--.*$", "", body, flags=re.MULTILINE),
        ).replace("::", "\\:\\:")
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def execute(db: Session, file: str, name: str, **values: Any) -> CursorResult[Any]:
    """Execute one statement of a file of this folder, with those of the values that it has as parameters."""
    statement = text(_statements(file)[name])
    parameters = {key: values[key] for key in statement.compile().params}
    result: CursorResult[Any] = db.execute(statement, parameters)  # type: ignore[assignment]
    return result


@contextmanager
def index_scans(db: Session) -> Iterator[None]:
    """Plan the statements inside with index scans: they look up the few rows of a chunk in tables of any size.

    The tables grow during the import, and a worker may not ANALYZE them: the planner takes them to be as small as
    before, or empty, and would read them whole for each chunk, or for each row.
    """
    with _disabled(db, "enable_seqscan"), _disabled(db, "enable_bitmapscan"):  # a bitmap for each row is slow
        yield


@contextmanager
def joins_in_order(db: Session) -> Iterator[None]:
    """Plan the statement inside as nested loops, in the order of its joins: each row is found by its key."""
    with index_scans(db), _disabled(db, "enable_hashjoin"), _disabled(db, "enable_mergejoin"):
        db.execute(text("SET LOCAL join_collapse_limit = 1"))
        yield
        db.execute(text("SET LOCAL join_collapse_limit TO DEFAULT"))


@contextmanager
def hash_joins(db: Session) -> Iterator[None]:
    """Plan the statements inside with hash joins: the planner has no statistics of the rows of an import yet."""
    with _disabled(db, "enable_nestloop"), _disabled(db, "enable_seqscan"):
        yield


@contextmanager
def _disabled(db: Session, setting: str) -> Iterator[None]:
    db.execute(select(func.set_config(setting, "off", True)))
    yield
    db.execute(select(func.set_config(setting, "on", True)))
