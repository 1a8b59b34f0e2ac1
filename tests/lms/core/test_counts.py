"""Several counts in one statement."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts.models import RoleGrant, User
from lms.core import counts
from lms.core.scope import Role
from tests.factories import Make


def test_counts_come_in_their_order_by_one_statement(make: Make, db: Session, statements: list[str]) -> None:
    make.user(Role.AUDITOR, Role.CITY_ADMINISTRATOR)
    users, grants = select(func.count()).select_from(User), select(func.count()).select_from(RoleGrant)
    db.flush()
    statements.clear()
    assert counts.read(db, [users, grants]) == [1, 2]
    assert counts.read(db, [grants]) == [2]
    assert len(statements) == 2


def test_nothing_to_count_is_no_statement(db: Session, statements: list[str]) -> None:
    assert counts.read(db, []) == []
    assert statements == []
