"""Several counts in one statement, for a page that shows them all."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lms.core.scope import CACHED_STATEMENTS


def read(db: Session, counts: Sequence[Select[int]]) -> list[int]:
    """The numbers that SELECTs of one count each give, in their order. Without any there is no statement."""
    return list(db.execute(_together(tuple(counts))).one()) if counts else []


def read_of_now(db: Session, counts: Sequence[Select[Any]]) -> list[int]:
    """The same as `read` for SELECTs that are built anew for each request, because they compare with the current moment."""
    return list(db.execute(select(*(count.scalar_subquery() for count in counts))).one()) if counts else []


@lru_cache(CACHED_STATEMENTS)
def _together(counts: tuple[Select[int], ...]) -> Select[Any]:
    """A single SELECT of all counts, built once for the same SELECTs, which their makers cache by their scope."""
    return select(*(count.scalar_subquery() for count in counts))
