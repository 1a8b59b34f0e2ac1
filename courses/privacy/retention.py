"""Retention at work: what is due by the rules, and erasing it in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lms.core import audit, retention_rules
from lms.core.retention_rules import RetentionKind, RetentionRule


@dataclass(frozen=True)
class DueKind:
    """A kind with its rule: the moment before which data is due (None: kept for good), and the number of rows due."""

    kind: RetentionKind
    rule: RetentionRule
    before: datetime | None
    number: int


def overview(db: Session) -> list[DueKind]:
    """Every kind with the number of rows that the next run would erase."""
    rules = retention_rules.rules(db)
    return [_due(db, kind, rules[kind.code]) for kind in retention_rules.registered()]


def _due(db: Session, kind: RetentionKind, rule: RetentionRule) -> DueKind:
    before = retention_rules.before(db, kind.code)
    number = kind.due(db, before) if kind.due is not None and before is not None else 0
    return DueKind(kind, rule, before, number)


def run(db: Session) -> Iterator[tuple[str, int]]:
    """Erase what is due, kind by kind. Yields code and number after each batch; the caller commits each."""
    for kind in retention_rules.registered():
        before = retention_rules.before(db, kind.code)
        if kind.erase is None or before is None:
            continue
        total = 0
        for number in kind.erase(db, before):
            total += number
            yield kind.code, number
        if total:
            audit.record(db, "retention.erase", f"retention:{kind.code}", after={"count": total})
            yield kind.code, 0
