"""The coordinators of an organisation are those who may sign in, by the sound of their names."""

from sqlalchemy.orm import Session

from lms.accounts.coordinators import coordinators_of
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make


def test_coordinators_of_an_organisation(db: Session, make: Make) -> None:
    host, other = make.organisation(1), make.organisation(1)
    users = [make.user(Role.COORDINATOR, organisation_id=host.id) for _ in range(3)]
    make.user(Role.COORDINATOR, organisation_id=other.id)
    for user, name in zip(users, ("张三", "安一", "李四"), strict=True):
        user.name = name
    users[2].disabled_at = clock.now()
    db.flush()
    assert [user.name for user in coordinators_of(db, host.id)] == ["安一", "张三"]
