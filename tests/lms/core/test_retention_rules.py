"""Rules of retention: reading periods."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lms.core import clock, retention_rules
from lms.core.errors import NotFound


def test_a_period_says_what_is_due(app: Flask, db: Session) -> None:
    assert retention_rules.period(db, "message") == timedelta(days=30)
    before = retention_rules.before(db, "message")
    assert before is not None
    assert clock.now() - before >= timedelta(days=30)
    assert retention_rules.before(db, "audit") is None


@pytest.mark.parametrize("code", ["audit", "import", "nothing"])
def test_what_is_kept_for_good_or_fixed_has_no_period_to_change(app: Flask, db: Session, code: str) -> None:
    with pytest.raises(NotFound):
        retention_rules.changeable(db, code)
