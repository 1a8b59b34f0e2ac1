"""The SQL statements of imports, by name."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

_HERE = Path(__file__).parent
_LEVELS = (
    "(VALUES (programme_code, 0::smallint, to_char(dated_on, 'YYYY')), (programme_code, 0::smallint, ''),"
    " ('', district_id, to_char(dated_on, 'YYYY')), ('', district_id, ''),"
    " ('', 0::smallint, to_char(dated_on, 'YYYY')), ('', 0::smallint, ''), ('', 0::smallint, to_char(dated_on, 'YYYY-MM')))"
)
# What a value is, where the database could not guess it.
_CASTS = {"user": "bigint", "now": "timestamptz", "today": "date", "reason": "text"}


@lru_cache
def _statements(file: str) -> Mapping[str, str]:
    parts = re.split(r"^-- name: (\w+)$", (_HERE / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        name: re.sub(
            r"(?<!:):(user|now|today|reason)\b",
            lambda found: f"CAST(:{found[1]} AS {_CASTS[found[1]]})",
            re.sub(r"^--.*$", "", body, flags=re.MULTILINE).replace("{levels}", _LEVELS),
        ).replace("::", "\\:\\:")
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def run(db: Session, file: str, name: str, **values: Any) -> CursorResult[Any]:
    """Send one statement of a file of this folder."""
    statement = text(_statements(file)[name])
    wanted = {key: values[key] for key in statement.compile().params}
    result: CursorResult[Any] = db.execute(statement, wanted)  # type: ignore[assignment]
    return result


@contextmanager
def by_index(db: Session) -> Iterator[None]:
    """Statements that look for a chunk's few rows in tables of any size.

    Those tables grow within the import, and a worker has no right to have them analysed: the planner believes them to be as
    they were, or empty, and would read them whole for each chunk, or for each row.
    """
    with _without(db, "enable_seqscan"), _without(db, "enable_bitmapscan"):  # a bitmap for each row is dear
        yield


@contextmanager
def by_key(db: Session) -> Iterator[None]:
    """A statement whose rows lead each to its next by key, one after the other, in the order in which the joins are written."""
    with by_index(db), _without(db, "enable_hashjoin"), _without(db, "enable_mergejoin"):
        db.execute(text("SET LOCAL join_collapse_limit = 1"))
        yield
        db.execute(text("SET LOCAL join_collapse_limit TO DEFAULT"))


@contextmanager
def by_hash(db: Session) -> Iterator[None]:
    """Statements that join rows of an import, of which the planner has not heard yet, to each other: each is read once."""
    with _without(db, "enable_nestloop"), _without(db, "enable_seqscan"):
        yield


@contextmanager
def _without(db: Session, what: str) -> Iterator[None]:
    db.execute(select(func.set_config(what, "off", True)))
    yield
    db.execute(select(func.set_config(what, "on", True)))
