"""Advisory locks on values, by their blind indexes, so that transactions which look for one value run one after the other."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOCK = text(
    "SELECT pg_advisory_xact_lock(key) FROM (SELECT unnest(CAST(:keys AS bigint[])) AS key ORDER BY 1) AS ordered"
)
_LOCK_STRIPES = text(
    "SELECT pg_advisory_xact_lock(:class, key) FROM (SELECT unnest(CAST(:keys AS int[])) AS key ORDER BY 1) AS ordered"
)
STRIPES = 4096


def lock_values(db: Session, indexes: Iterable[bytes]) -> None:
    """Lock values until the transaction ends. `indexes`: those of each value under all field keys.

    Processes that seal with different keys while FIELD_KEY is replaced so take the same locks. They are taken in ascending
    order, so that two transactions never wait for each other.
    """
    db.execute(_LOCK, {"keys": sorted({int.from_bytes(index[:8], signed=True) for index in indexes})})


def lock_stripes(db: Session, lock_class: int, indexes: Iterable[bytes]) -> None:
    """Lock any number of values, as `lock_values` does, with at most `STRIPES` locks; some values share one.

    lock_class: tells these locks from other advisory locks.
    """
    db.execute(
        _LOCK_STRIPES, {"class": lock_class, "keys": sorted({int.from_bytes(index[:4]) % STRIPES for index in indexes})}
    )
