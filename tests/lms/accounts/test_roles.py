"""Granting and withdrawing roles, within the reach of the user who does it."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import users
from lms.accounts.models import User
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import Role, Scope
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
DISTRICT_1 = Scope(district_ids=frozenset({1}))


@pytest.mark.parametrize(
    "facts",
    [
        GrantFacts(Role.CITY_ADMINISTRATOR),
        GrantFacts(Role.AUDITOR),
        GrantFacts(Role.DISTRICT_ADMINISTRATOR, district_id=2),
        GrantFacts(Role.TRAINEE),
        GrantFacts(Role.INSTRUCTOR),
    ],
)
def test_the_rule_itself_refuses_roles_beyond_the_district(db: Session, make: Make, facts: GrantFacts) -> None:
    with pytest.raises(DomainError) as refusal:
        users.create(db, UserFacts("李雷", "x@example.org"), [facts], DISTRICT_1, None)
    assert refusal.value.code == "beyond_reach"


def test_roles_come_and_go_and_the_last_stays(make: Make, sign_in: SignIn, db: Session) -> None:
    admin, user = make.user(Role.CITY_ADMINISTRATOR), make.user(Role.AUDITOR)
    browser = sign_in(admin)
    grants = f"/users/{user.id}/grants"
    first = user.grants[0].id
    assert browser.post(f"{grants}/{first}/withdraw").status_code == 409
    given = {"role": "district_administrator", "district": "3", "organisation": ""}
    assert browser.post(grants, data=given).status_code == 302
    assert browser.post(grants, data=given).status_code == 422
    assert browser.post(grants, data=given | {"district": "0"}).status_code == 422
    assert browser.post(f"{grants}/{first}/withdraw").status_code == 302
    db.refresh(user)
    assert [(grant.role, grant.district_id) for grant in user.grants] == [("district_administrator", 3)]
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"app_user:{user.id}")).all()
    assert sorted(actions) == ["user.grant", "user.withdraw"]
