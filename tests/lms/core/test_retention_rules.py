"""Rules of retention: periods, and changing one."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import clock, retention_rules
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.retention_rules import PeriodUnit


def test_a_period_is_read_and_changed_with_a_reason(app: Flask, db: Session) -> None:
    assert retention_rules.period(db, "message") == timedelta(days=30)
    retention_rules.change(db, "message", 2, PeriodUnit.MONTHS, "市里要求")
    assert retention_rules.period(db, "message") == timedelta(days=61)
    before = retention_rules.before(db, "message")
    assert before is not None
    assert clock.now() - before >= timedelta(days=61)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "retention.change")).one()
    assert (entry.before, entry.after) == ({"period": "30 days"}, {"period": "2 months"})


@pytest.mark.parametrize(("amount", "unit"), [(0, "days"), (3661, "days"), (601, "months"), (-1, "months")])
def test_a_period_out_of_range_is_refused(app: Flask, db: Session, amount: int, unit: str) -> None:
    with pytest.raises(DomainError):
        retention_rules.change(db, "message", amount, PeriodUnit(unit), "x")


@pytest.mark.parametrize("code", ["audit", "import", "nothing"])
def test_what_is_kept_for_good_or_fixed_has_no_period_to_change(app: Flask, db: Session, code: str) -> None:
    with pytest.raises(NotFound):
        retention_rules.change(db, code, 1, PeriodUnit.DAYS, "x")
