"""Retention at work: what is due by the rules, and erasing it in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lms.core import audit, clock, reasons, retention_rules
from lms.core.errors import N_, DomainError
from lms.core.retention_rules import PeriodUnit, RetentionKind, RetentionRule

LONGEST = {"days": 3660, "months": 600}


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


def change_period(db: Session, code: str, amount: int, unit: PeriodUnit, reason: str | None) -> None:
    """Set the period of a kind. Raises NotFound, and DomainError for a period that is out of range or a blank reason."""
    _kind, rule = retention_rules.changeable(db, code, lock=True)
    reason = reasons.required(reason)
    if not 1 <= amount <= LONGEST[unit]:
        raise DomainError(
            "period_wrong", N_("Enter a period from 1 day to 10 years, or up to 50 years in months."), status=422,
            field="amount",
        )  # fmt: skip
    earlier = {"period": f"{rule.amount} {rule.unit}"}
    rule.amount, rule.unit = amount, unit
    rule.changed_at, rule.changed_by = clock.now(), audit.actor(db)
    db.flush()
    audit.record_change(
        db, "retention.change", f"retention:{code}", earlier, {"period": f"{amount} {unit}"}, reason=reason
    )
