"""Reading the audit trail: filters by action, subject, user and day."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import audit_trail
from lms.accounts.audit_trail import TrailFilter
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ZONE = ZoneInfo("Asia/Shanghai")


def test_the_trail_is_narrowed(db: Session, make: Make) -> None:
    actor = make.user(Role.CITY_ADMINISTRATOR, name="郑红")
    for hour, user, action, subject in (
        (15, actor.id, "trainee.change", "trainee:1"),
        (16, None, "trainee.change", "trainee:12"),
        (17, actor.id, "offering.cancel", "offering:1"),
    ):
        db.add(AuditEntry(at=datetime(2026, 3, 31, hour, tzinfo=UTC), user_id=user, action=action, subject=subject))
    db.flush()

    def found(**wanted: object) -> list[str]:
        rows = audit_trail.listing(db, TrailFilter(**wanted), ZONE).rows  # type: ignore[arg-type]
        return [f"{row.noun}:{row.key}" for row in rows]

    assert found() == ["offering:1", "trainee:12", "trainee:1"]
    assert found(subject="trainee:1") == ["trainee:1"]
    assert found(subject="trainee") == ["trainee:12", "trainee:1"]
    assert found(user="郑") == ["offering:1", "trainee:1"]
    assert found(action="offering.cancel") == ["offering:1"]
    assert found(until=date(2026, 3, 31)) == ["trainee:1"]
    assert found(since=date(2026, 4, 1)) == ["offering:1", "trainee:12"]
