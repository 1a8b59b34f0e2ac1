"""Signed tables: made again where they changed, when a day has passed, and where the key has."""

from datetime import timedelta

from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.models import StatusList
from certificates.verification import signed_tables
from certificates.verification.signed_tables import SignedTable
from lms.core import clock

TABLE = SignedTable("types", "a-table+jwt", "/.well-known/a-table.json")


def test_a_table_is_signed_when_it_changed_or_a_day_has_passed(db: Session, branch: Branch) -> None:
    assert signed_tables.sign_due(db, branch, TABLE, {"a": 1})
    assert not signed_tables.sign_due(db, branch, TABLE, {"a": 1})
    assert signed_tables.sign_due(db, branch, TABLE, {"a": 2})
    assert signed_tables.sign_due(db, branch, TABLE, {"a": 2}, anew=True)
    with clock.at(clock.now() + timedelta(days=1)):
        assert signed_tables.sign_due(db, branch, TABLE, {"a": 2})
    assert db.get_one(StatusList, (TABLE.purpose, 0)).document.count(".") == 2
