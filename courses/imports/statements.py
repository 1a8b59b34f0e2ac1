"""The SQL statements of imports, by name."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, text
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
