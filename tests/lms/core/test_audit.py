"""The audit trail."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import audit
from lms.core.audit import AuditEntry
from tests.factories import Make


def entries(db: Session) -> list[AuditEntry]:
    db.flush()
    return list(db.scalars(select(AuditEntry).where(AuditEntry.action.like("test.%"))))


def test_an_entry_names_the_row_and_the_actor(db: Session, make: Make) -> None:
    user = make.user()
    db.flush()
    audit.act_as(db, user.id)
    audit.record(db, "test.change", user, before={"name": "a"}, after={"name": "b"}, reason="typing error")
    (entry,) = entries(db)
    assert (entry.user_id, entry.subject, entry.reason) == (user.id, f"app_user:{user.id}", "typing error")
    assert (entry.before, entry.after) == ({"name": "a"}, {"name": "b"})


@pytest.mark.parametrize(
    ("after", "kept"),
    [({"name": "b", "phone": "1"}, [({"name": "a"}, {"name": "b"})]), ({"name": "a", "phone": "1"}, [])],
)
def test_a_change_keeps_the_fields_that_differ_and_nothing_where_none_does(
    db: Session, after: dict[str, str], kept: list[tuple[dict[str, str], dict[str, str]]]
) -> None:
    audit.record_change(db, "test.change", "thing:1", {"name": "a", "phone": "1"}, after)
    assert [(entry.before, entry.after) for entry in entries(db)] == kept


def test_the_system_itself_is_nobody(db: Session) -> None:
    audit.record(db, "test.sweep", "thing:1")
    assert [entry.user_id for entry in entries(db)] == [None]
