"""The coordinators of an organisation."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts.models import RoleGrant, User
from lms.core.name_order import by_sound
from lms.core.scope import Role


def coordinators_of(db: Session, organisation_id: int) -> list[User]:
    """The users who may sign in and coordinate the trainings of an organisation, by name."""
    grant = select(RoleGrant.user_id).where(
        RoleGrant.role == Role.COORDINATOR, RoleGrant.organisation_id == organisation_id
    )
    users = db.scalars(select(User).where(User.id.in_(grant), User.disabled_at.is_(None)))
    return sorted(users, key=lambda user: (by_sound(user.name), user.id))
