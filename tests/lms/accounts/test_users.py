"""Accounts made and changed by administrators: within their reach, on record, and with a link to begin."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors.models import Instructor
from lms.accounts import users
from lms.accounts.models import PasswordReset, RoleGrant, User
from lms.accounts.users import UserFilter
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make
from tests.messages import mails

SignIn = Callable[[User], FlaskClient]
DISTRICT_1 = Scope(district_ids=frozenset({1}))


def filled(**facts: object) -> dict[str, object]:
    return {"name": "李雷", "language": "zh", "district": "0", "organisation": "", "email": "", "phone": ""} | facts


def test_a_new_user_is_invited_and_chooses_the_password(
    make: Make, sign_in: SignIn, client: FlaskClient, db: Session
) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = browser.post("/users/new", data=filled(email="li.lei@example.org", role="auditor"))
    assert answer.status_code == 302
    link = re.search(r"/sign-in/password/[\w-]+", mails(db)[-1])
    assert link is not None
    assert "三天内" in mails(db)[-1]
    assert client.get(link[0]).status_code == 200
    assert client.post(link[0], data={"password": "short"}).status_code == 422
    assert client.post(link[0], data={"password": "four new words here"}).status_code == 302
    assert client.post(link[0], data={"password": "four other words here"}).status_code == 410
    answer = client.post("/sign-in/", data={"identifier": "li.lei@example.org", "password": "four new words here"})
    assert answer.status_code == 302


def test_without_email_the_link_is_shown_once_and_not_stored(make: Make, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = browser.post("/users/new", data=filled(phone="138 0013 8000", role="trainee"))
    assert answer.status_code == 200
    assert re.search(r'value="http://127.0.0.1:8000/sign-in/password/[\w-]{22}"', answer.text)
    assert mails(db) == []
    assert users.find(db, "13800138000") is None
    user = db.scalars(select(User).where(User.phone_index.is_not(None))).one()
    assert user.phone == "+8613800138000"
    assert "13800138000" not in str(db.scalars(select(AuditEntry.after)).all())


def test_a_district_makes_coordinators_of_its_own_organisations_only(make: Make, sign_in: SignIn, db: Session) -> None:
    here, there = make.organisation(1, name_zh="东城一中"), make.organisation(2, name_zh="西城一中")
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    facts = filled(email="new@example.org", role="coordinator", district="1")
    assert browser.post("/users/new", data=facts | {"organisation": there.name_zh}).status_code == 422
    assert browser.post("/users/new", data=facts | {"role": "city_administrator"}).status_code == 422
    assert browser.post("/users/new", data=facts | {"organisation": here.name_zh}).status_code == 302
    made = db.scalars(select(User).where(User.email_is("new@example.org"))).one()
    assert [grant.organisation_id for grant in made.grants] == [here.id]
    assert there.name_zh not in browser.get("/users/organisation-names?text=一中").text
    assert browser.get("/users/organisation-names?text=一中").json == [here.name_zh]


def test_a_district_sees_users_whose_roles_all_lie_in_it(db: Session, make: Make) -> None:
    inside = make.user(Role.COORDINATOR, organisation_id=make.organisation(1).id)
    teacher = make.user(Role.INSTRUCTOR)
    make.instructor(district_id=1, user=teacher)
    both = make.user(Role.DISTRICT_ADMINISTRATOR, Role.COORDINATOR, organisation_id=make.organisation(2).id)
    abroad = make.user(Role.INSTRUCTOR)
    make.instructor(district_id=2, user=abroad)
    city = make.user(Role.DISTRICT_ADMINISTRATOR, Role.AUDITOR)
    nowhere = make.user(Role.TRAINEE)
    helper = make.user(Role.COORDINATOR, Role.TRAINEE, organisation_id=make.organisation(1).id)
    seen = set(users.listing(db, DISTRICT_1, UserFilter(), 1).rows)
    assert {inside, teacher, helper} <= seen
    assert seen.isdisjoint({both, abroad, city, nowhere})
    assert {inside, both, city, nowhere} <= set(users.listing(db, EVERYTHING, UserFilter(), 1).rows)
    assert users.listing(db, Scope(), UserFilter(), 1).rows == []


def test_users_are_found_by_name_phone_and_email(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, name="欧阳%娜娜", email="Ou.Yang@example.org")
    user.phone = make.phone()
    db.flush()
    for text in ("阳%娜", "ou.yang@EXAMPLE.org", user.phone, user.phone.removeprefix("+86")):
        assert users.listing(db, EVERYTHING, UserFilter(text=text), 1).rows == [user]
    assert users.listing(db, EVERYTHING, UserFilter(text="阳_娜"), 1).rows == []
    assert users.listing(db, EVERYTHING, UserFilter(role=Role.AUDITOR), 1).rows == [user]
    assert users.listing(db, EVERYTHING, UserFilter(disabled=True), 1).rows == []


def test_nobody_locks_out_or_demotes_oneself(make: Make, sign_in: SignIn, db: Session) -> None:
    admin = make.user(Role.CITY_ADMINISTRATOR, Role.AUDITOR)
    browser = sign_in(admin)
    assert browser.post(f"/users/{admin.id}/disable", data={"reason": "x"}).status_code == 422
    assert browser.post(f"/users/{admin.id}/grants/{admin.grants[0].id}/withdraw").status_code == 409
    assert browser.get("/users/").status_code == 200


def test_two_accounts_never_share_an_address(make: Make, sign_in: SignIn, db: Session) -> None:
    taken = make.user(Role.AUDITOR, email="taken@example.org")
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = browser.post("/users/new", data=filled(email="TAKEN@example.org", role="auditor"))
    assert answer.status_code == 422
    assert "已被其他账号使用" in answer.text
    assert users.find(db, "taken@example.org") is taken


def test_changes_are_on_record_with_who_and_from_what(make: Make, sign_in: SignIn, db: Session) -> None:
    admin, user = make.user(Role.CITY_ADMINISTRATOR), make.user(Role.AUDITOR, name="旧名")
    browser = sign_in(admin)
    browser.post(f"/users/{user.id}/edit", data=filled(name="新名", email=user.email, phone="13800138000"))
    browser.post(f"/users/{user.id}/disable", data={"reason": "已离职"})
    browser.post(f"/users/{user.id}/enable")
    rows = db.scalars(
        select(AuditEntry).where(AuditEntry.subject == f"app_user:{user.id}").order_by(AuditEntry.id)
    ).all()
    assert [row.action for row in rows] == ["user.change", "user.contact_asked", "user.disable", "user.enable"]
    assert {row.user_id for row in rows} == {admin.id}
    assert (rows[0].before, rows[0].after) == ({"name": "旧*"}, {"name": "新*"})
    assert rows[1].after == {"phone": "138****8000"}
    assert rows[2].reason == "已离职"


def test_the_actor_is_known_to_the_rule(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR)
    audit.act_as(db, user.id)
    with pytest.raises(DomainError):
        users.disable(db, user, "x")


def test_an_account_that_is_also_a_trainees_is_seen_and_not_managed(db: Session, make: Make, sign_in: SignIn) -> None:
    """A district that gets a trainee among its instructors gains no way into the person's account."""
    person = make.user(Role.TRAINEE, email="trainee@example.org", password_hash="x")
    make.instructor(district_id=1, user=person)
    person.grants.append(RoleGrant(role=Role.INSTRUCTOR))
    db.commit()
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    page = browser.get(f"/users/{person.id}")
    assert page.status_code == 200
    assert "trainee@example.org" not in page.text
    trainee, instructor = sorted(person.grants, key=lambda grant: grant.role == Role.INSTRUCTOR)
    answers = [
        browser.get(f"/users/{person.id}/edit").status_code,
        browser.post(f"/users/{person.id}/edit", data=filled(email="mine@example.org")).status_code,
        browser.post(f"/users/{person.id}/invite").status_code,
        browser.post(f"/users/{person.id}/disable", data={"reason": "x"}).status_code,
        browser.post(f"/users/{person.id}/enable").status_code,
        browser.post(f"/users/{person.id}/contacts/email/withdraw").status_code,
        browser.post(f"/users/{person.id}/grants/{trainee.id}/withdraw").status_code,
    ]
    assert answers == [403] * len(answers)
    db.expire_all()
    assert (person.email, person.disabled_at) == ("trainee@example.org", None)
    assert mails(db) == []
    assert db.scalars(select(PasswordReset)).all() == []
    assert browser.post(f"/users/{person.id}/grants/{instructor.id}/withdraw").status_code == 302


def test_registering_a_trainee_as_instructor_gives_a_district_no_way_into_the_account(
    db: Session, make: Make, sign_in: SignIn
) -> None:
    """A district's administrator registers an "instructor" with a trainee's e-mail address, and invites."""
    person = make.user(Role.TRAINEE, email="trainee@example.org", password_hash="x")
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    facts = {"name": "假师资", "registration_number": "BJ-9", "district_id": "1", "level": "junior"}
    browser.post("/instructors/new", data=facts | {"email": "trainee@example.org"})
    instructor = db.scalars(select(Instructor)).one()
    browser.post(f"/instructors/{instructor.id}/invitation")
    db.expire_all()
    assert instructor.user_id is None
    assert [grant.role for grant in person.grants] == [Role.TRAINEE]
    address = f"/users/{person.id}"
    assert browser.get(address).status_code == 404
    assert browser.post(f"{address}/edit", data=filled(email="mine@example.org")).status_code == 404
    assert browser.post(f"{address}/invite").status_code == 404
    page = browser.post(f"/instructors/{instructor.id}/invitation/in-person").text
    link = re.search(r"/invitations/[\w-]+", page)
    assert link is not None
    answer = browser.post(f"{link[0]}/account", data={"password": "four new words here"})
    assert answer.status_code == 422
    db.expire_all()
    assert (person.email, instructor.user_id) == ("trainee@example.org", None)


def test_a_new_contact_takes_effect_when_the_owner_proves_it(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.AUDITOR, email="old@example.org", password_hash="x")
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    facts = filled(name=user.name, email="new@example.org")
    assert "当事人" in browser.post(f"/users/{user.id}/edit", data=facts, follow_redirects=True).text
    db.expire_all()
    assert user.email == "old@example.org"
    told = {str(owing.content_of(row)["addresses"][0][1]) for row in db.scalars(select(Message))}  # type: ignore[index]
    assert told == {"old@example.org", "new@example.org"}
    assert "n***@example.org" in browser.get(f"/users/{user.id}").text
    assert browser.post(f"/users/{user.id}/contacts/email/withdraw").status_code == 302
    assert browser.post(f"/users/{user.id}/contacts/email/withdraw").status_code == 404
    assert "n***@example.org" not in browser.get(f"/users/{user.id}").text
    db.expire_all()
    assert user.email == "old@example.org"


def test_a_claimed_contact_finds_nobody(db: Session, make: Make) -> None:
    claimant = make.user(Role.TRAINEE, email="claimed@example.org", proven=False)
    assert users.find(db, "claimed@example.org") is None
    assert users.claimed(db, "claimed@example.org", None).user is claimant
    owner = make.user(Role.TRAINEE, email="claimed@example.org")
    assert users.find(db, "CLAIMED@example.org") is owner
    assert users.claimed(db, "claimed@example.org", None).user is owner
