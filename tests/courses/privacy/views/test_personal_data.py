"""Pages of personal data: who reaches whose data, and what each of them does."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from courses.enrolment import consents, privacy_texts
from courses.models.enrolment import Enrolment
from courses.models.privacy import Consent, ConsentGiver, ConsentWay
from courses.models.proposals import Proposal
from courses.models.trainees import ERASED_NAME, Trainee
from lms.accounts import passwords
from lms.accounts.models import BrowserSession, User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import PASSWORD, Make

SignIn = Callable[[User], FlaskClient]
HASH = passwords.seal(PASSWORD)
CONFIRMED = {"confirm_password": PASSWORD}


def forget_password(db: Session) -> None:
    """Let every session be one in which the password was given long ago."""
    db.execute(update(BrowserSession).values(confirmed_at=clock.now() - timedelta(hours=1)))
    db.commit()


def child(**more: str) -> dict[str, str]:
    year = str(clock.branch_today().year - 10)
    return {
        "name": "小明", "phone": "13912345678", "birth_year": year, "guardian_name": "王芳", "guardian_phone": "13912345679",
        "consent": "y", "privacy_version": "1", **more,
    }  # fmt: skip


def test_an_enrolment_records_the_text_that_was_shown(client: FlaskClient, db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)])
    db.commit()
    page = client.get(f"/training/{offering.id}/enrol")
    assert "/privacy/1" in page.text
    answer = client.post(f"/training/{offering.id}/enrol", data=child())
    assert answer.status_code == 422  # the relation is missing
    assert db.scalars(select(Enrolment)).all() == []
    answer = client.post(f"/training/{offering.id}/enrol", data=child(guardian_relation="mother"))
    assert answer.status_code == 302
    row = db.scalars(select(Consent)).one()
    assert (row.version, row.way, row.giver) == (1, ConsentWay.SELF_ENROLMENT, ConsentGiver.GUARDIAN)
    assert row.guardian() == {"name": "王芳", "relation": "mother"}


def test_a_text_that_changed_meanwhile_is_shown_again(client: FlaskClient, db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)])
    privacy_texts.publish(db, "新文本", "New text", clock.branch_today())
    db.commit()
    adult = {"name": "小明", "phone": "13912345678", "consent": "y"}
    for version in ("1", "", "99999999999999999999", "x"):
        answer = client.post(f"/training/{offering.id}/enrol", data=adult | {"privacy_version": version})
        assert answer.status_code == 422
        assert "/privacy/2" in answer.text
    assert db.scalars(select(Enrolment)).all() == []
    assert client.post(f"/training/{offering.id}/enrol", data=adult | {"privacy_version": "2"}).status_code == 302


def test_the_ticket_asks_who_was_enrolled_without_consent(client: FlaskClient, db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(starts=[clock.now() + timedelta(days=3)]))
    db.commit()
    address = f"/tickets/{enrolment.ticket}"
    assert f"{address}/consent" in client.get(address).text
    assert client.post(f"{address}/consent", data={"privacy_version": "1", "consent": "y"}).status_code == 302
    assert consents.standing(db, enrolment.trainee_id) is not None
    page = client.get(f"{address}/consent")
    assert page.headers["Cache-Control"] == "no-store"
    client.post(f"{address}/consent/withdraw")
    db.expire_all()
    assert consents.has_withdrawn(db, enrolment.trainee_id)
    # A ticket alone corrects nothing: anybody may have the link.
    assert client.post(f"{address}/correction", data={"name": "别人", "reason": "x"}).status_code in {302, 404}
    assert db.scalars(select(Proposal)).all() == []


def test_staff_see_who_has_not_consented_and_record_a_paper(db: Session, make: Make, sign_in: SignIn) -> None:
    offering = make.offering()
    agreed, other = make.trainee("同意者"), make.trainee("未同意者")
    for trainee in (agreed, other):
        make.enrolment(offering, trainee)
    consents.give(db, agreed, ConsentWay.TICKET)
    browser = sign_in(make.user(Role.COORDINATOR, organisation_id=offering.organisation_id))
    page = browser.get(f"/offerings/{offering.id}/enrolments/?consent=missing").text
    assert "未同意者" in page
    assert "同意者</a>" not in page.replace("未同意者</a>", "")
    assert browser.post(f"/trainees/{other.id}/data/consent").status_code == 302
    row = db.scalars(select(Consent).where(Consent.trainee_id == other.id)).one()
    assert row.recorded_by is not None


def test_the_person_exports_the_own_data_and_asks_for_erasure(db: Session, make: Make, sign_in: SignIn) -> None:
    user = make.user(Role.TRAINEE, password_hash=HASH)
    trainee = make.trainee("张三丰", user_id=user.id)
    make.enrolment(make.offering(), trainee)
    browser = sign_in(user)
    assert browser.get("/my-training/data/").status_code == 200
    forget_password(db)
    asking = browser.post("/my-training/data/export")
    assert asking.mimetype == "text/html"  # the password first
    answer = browser.post("/my-training/data/export", data=CONFIRMED)
    assert answer.mimetype == "application/zip", answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "张三丰" in archive.read("data.html").decode()
    assert browser.post("/my-training/data/erasure").status_code == 302
    assert "尚待决定" in browser.get("/my-training/data/").text
    answer = browser.post("/my-training/data/correction", data={"name": "张三风", "reason": "错字"})
    assert answer.status_code == 302
    assert db.scalars(select(Proposal)).one().by_person


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DISTRICT_ADMINISTRATOR, Role.INSTRUCTOR, Role.TRAINEE])
def test_nobody_reaches_anothers_data(db: Session, make: Make, sign_in: SignIn, role: Role) -> None:
    trainee = make.trainee("张三丰", district_id=2)
    make.enrolment(make.offering(organisation=make.organisation(2)), trainee)
    browser = sign_in(make.user(role, password_hash=HASH))
    form = {"reason": "x", "answer": "x", **CONFIRMED}
    for path in ("data/export", "data/erase", "data/request", "data/withdrawal", "data/consent", "data/refuse"):
        assert browser.post(f"/trainees/{trainee.id}/{path}", data=form).status_code in {403, 404}, path
    db.expire_all()
    assert trainee.name == "张三丰"
    assert db.scalars(select(Consent)).all() == []


def test_a_district_that_sees_only_a_part_exports_nothing(db: Session, make: Make, sign_in: SignIn) -> None:
    trainee = make.trainee(district_id=1)
    for district in (1, 2):
        make.enrolment(make.offering(organisation=make.organisation(district)), trainee)
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, password_hash=HASH))
    assert browser.post(f"/trainees/{trainee.id}/data/export", data={"reason": "x", **CONFIRMED}).status_code == 403


def test_the_city_sees_a_preview_and_erases_with_the_password(db: Session, make: Make, sign_in: SignIn) -> None:
    trainee = make.trainee("张三丰")
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR, password_hash=HASH))
    path = f"/trainees/{trainee.id}/data/erase"
    forget_password(db)
    answer = browser.post(path, data={"reason": "书面申请"})
    assert answer.status_code != 302
    db.expire_all()
    assert trainee.name == "张三丰"
    assert browser.post(path, data={"reason": "书面申请", **CONFIRMED}).status_code == 302
    db.expire_all()
    assert db.get_one(Trainee, trainee.id).name == ERASED_NAME
    assert browser.get(f"/trainees/{trainee.id}").status_code == 200
    assert browser.get(path).status_code == 200
    assert browser.get(f"/trainees/{trainee.id}/data").status_code == 200


def test_the_notice_is_public_and_published_by_the_city_after_a_preview(
    client: FlaskClient, db: Session, make: Make, sign_in: SignIn
) -> None:
    for language, words in (("zh", "隐私告知"), ("en", "Privacy notice")):
        page = client.get(f"/privacy/?lang={language}").text
        assert words in page
        assert "{organisation}" not in page
    assert client.get("/privacy/9").status_code == 404
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR, password_hash=HASH))
    form = {"text_zh": "## 新\n- 点", "text_en": "New", "in_force_from": clock.branch_today().isoformat(), **CONFIRMED}
    assert browser.post("/privacy/new", data=form).status_code == 200
    assert privacy_texts.current(db).version == 1
    assert browser.post("/privacy/new", data=form | {"publish": "yes"}).status_code == 302
    assert "/privacy/1" in client.get("/privacy/").text


def test_the_register_and_the_periods(db: Session, make: Make, sign_in: SignIn) -> None:
    auditor = sign_in(make.user(Role.AUDITOR))
    for path in (
        "/personal-data/",
        "/personal-data/retention",
        "/personal-data/requests",
        "/personal-data/register.csv",
    ):
        assert auditor.get(path).status_code == 200, path
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR, password_hash=HASH))
    form = {"amount": "24", "unit": "months", "reason": "规定", **CONFIRMED}
    assert city.post("/personal-data/retention/walk_in", data=form).status_code == 302
    assert "24 个月" in city.get("/personal-data/retention").text
    assert city.post("/personal-data/retention/audit", data=form).status_code == 404
    assert (
        city.post("/personal-data/retention/walk_in", data=form | {"amount": "99999999999999999999"}).status_code == 422
    )
