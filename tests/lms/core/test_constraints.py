"""Messages for broken constraints."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.core import constraints


def broken(db: Session, name: str) -> IntegrityError:
    db.execute(text(f"CREATE TEMPORARY TABLE {name}_table (number int CONSTRAINT {name} CHECK (number > 0))"))
    with pytest.raises(IntegrityError) as failed:
        db.execute(text(f"INSERT INTO {name}_table VALUES (0)"))
    return failed.value


def test_a_registered_constraint_is_refused_by_its_code(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "_refusals", {})
    constraints.register_refusal("ck_known", "too_small", "The number is too small.")
    refusal = constraints.refusal_of(broken(db, "ck_known"))
    assert refusal is not None
    assert (refusal.code, refusal.message, refusal.status) == ("too_small", "The number is too small.", 409)


def test_any_other_is_a_defect(db: Session) -> None:
    assert constraints.refusal_of(broken(db, "ck_unknown")) is None
