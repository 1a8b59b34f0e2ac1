"""Granting and withdrawing roles, within the scope of the user who does it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts.models import RoleGrant, User
from lms.core import audit
from lms.core.errors import N_, Denied, DomainError, NotFound
from lms.core.scope import Role, Scope

# What a district's administrator may give; instructors get theirs through the register of instructors.
OF_A_DISTRICT = (Role.COORDINATOR, Role.DISTRICT_ADMINISTRATOR)


@dataclass(frozen=True)
class GrantFacts:
    """A role and where it holds: a district for its administrator, an organisation for a coordinator, else nothing."""

    role: Role
    district_id: int | None = None
    organisation_id: int | None = None


def grantable(scope: Scope) -> tuple[Role, ...]:
    """The roles that a user with this scope may grant."""
    return tuple(Role) if scope.everything else OF_A_DISTRICT


def demand_within(db: Session, user: User, scope: Scope) -> None:
    """Raise DomainError if the user's roles, as they are now, reach beyond the scope."""
    reach = select(func.count()).select_from(User).where(User.id == user.id, User.visible_to(scope))
    if not db.scalar(reach):
        raise DomainError(
            "beyond_reach",
            N_("You can only grant roles of your own district. For other roles, ask a city administrator."),
            status=422,
            field="role",
        )


def grant(db: Session, user: User, facts: GrantFacts, scope: Scope) -> RoleGrant:
    """Grant a user one more role."""
    row = RoleGrant(role=facts.role, district_id=facts.district_id, organisation_id=facts.organisation_id)
    user.grants.append(row)
    db.flush()
    demand_within(db, user, scope)
    audit.record(db, "user.grant", user, after={"roles": described([row])})
    return row


def withdraw(db: Session, user: User, grant_id: int, scope: Scope) -> None:
    """Withdraw a role that holds within the scope. A user keeps at least one, and nobody withdraws a role from themselves."""
    row = next((grant for grant in user.grants if grant.id == grant_id), None)
    if row is None:
        raise NotFound
    if not is_within(db, row, scope):
        raise Denied
    if audit.actor(db) == user.id:
        raise DomainError("own_account", N_("You cannot take a role from yourself. Ask another administrator."))
    if len(user.grants) == 1:
        raise DomainError(
            "last_role", N_("This is the account's only role. Give it another one first, or disable the account.")
        )
    audit.record(db, "user.withdraw", user, before={"roles": described([row])})
    user.grants.remove(row)
    db.flush()


def is_within(db: Session, grant: RoleGrant, scope: Scope) -> bool:
    """Tell whether a role holds within the scope. A trainee's role holds in no district: only the city withdraws it."""
    within = select(func.count()).select_from(RoleGrant).where(RoleGrant.id == grant.id, RoleGrant.within(scope))
    return bool(db.scalar(within))


def hold(db: Session, user: User, role: Role) -> None:
    """Grant a user a role that holds everywhere, such as the instructor's, unless the user has it."""
    if all(grant.role != role for grant in user.grants):
        user.grants.append(RoleGrant(role=role))
        db.flush()
        audit.record(db, "user.grant", user, after={"roles": [role.value]})


def described(grants: Iterable[RoleGrant]) -> list[str]:
    """Roles in the audit trail's form, such as "coordinator organisation:17"."""
    lines = []
    for grant in grants:
        place = f" district:{grant.district_id}" if grant.district_id is not None else ""
        place += f" organisation:{grant.organisation_id}" if grant.organisation_id is not None else ""
        lines.append(f"{Role(grant.role).value}{place}")
    return lines
