"""The register of trainees in the browser."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment.trainees import TraineeFacts, register
from courses.models.trainees import IdType, Trainee
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ID = "11010519491231002X"


@pytest.fixture
def trainee(db: Session) -> Trainee:
    """A trainee of district 1 with all facts."""
    facts = TraineeFacts("张三", "+8613812345678", "z@example.org", 1949, IdType.RESIDENT, ID)
    return register(db, facts, 1)


@pytest.fixture
def staff(make: Make, sign_in: SignIn) -> FlaskClient:
    """The browser of district 1's administrator."""
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))


def test_personal_facts_are_masked(staff: FlaskClient, trainee: Trainee, db: Session) -> None:
    db.commit()
    for page in (
        staff.get("/trainees/"),
        staff.get(f"/trainees/{trainee.id}"),
        staff.get(f"/trainees/{trainee.id}/edit"),
    ):
        assert page.status_code == 200
        assert "138****5678" in page.text
        assert not any(fact in page.text for fact in ("13812345678", "z@example.org", ID))


def test_search_is_not_in_the_address(staff: FlaskClient, trainee: Trainee, db: Session) -> None:
    register(db, TraineeFacts("李四", "+8613812345679"), 1)
    db.commit()
    for query in ("张", "13812345678", ID):
        answer = staff.post("/trainees/", data={"words": query}, follow_redirects=True)
        assert query not in unquote(answer.request.full_path)
        assert "张三" in answer.text
        assert "李四" not in answer.text
    assert "李四" in staff.get("/trainees/?words=张").text


def test_an_id_number_is_read_with_a_reason_once(staff: FlaskClient, trainee: Trainee, db: Session) -> None:
    db.commit()
    address = f"/trainees/{trainee.id}/id-number"
    assert staff.get(address).status_code == 405
    for reason in ({}, {"reason": "other"}, {"reason": "other", "sentence": "x"}, {"reason": "because"}):
        refused = staff.post(address, data=reason)
        assert refused.status_code == 422
        assert ID not in refused.text
    page = staff.post(address, data={"reason": "other", "sentence": "核对证书姓名"})
    assert ID in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert ID not in staff.get(f"/trainees/{trainee.id}").text
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.read_id_number")).one()
    assert entry.reason is not None
    assert entry.reason.endswith("核对证书姓名")
    assert entry.user_id is not None


def test_a_correction(staff: FlaskClient, trainee: Trainee, db: Session) -> None:
    db.commit()
    facts = {"name": "张叁", "birth_year": "1949", "id_type": "resident", "reason": "同音字"}
    assert staff.post(f"/trainees/{trainee.id}/edit", data=facts).status_code == 302
    db.refresh(trainee)
    assert (trainee.name, trainee.phone, trainee.open_id_number()) == ("张叁", "+8613812345678", ID)
    wrong = staff.post(f"/trainees/{trainee.id}/edit", data=facts | {"id_number": "123"})
    assert wrong.status_code == 422


def test_another_districts_trainee_is_not_there(make: Make, sign_in: SignIn, trainee: Trainee, db: Session) -> None:
    other = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    assert other.get(f"/trainees/{trainee.id}").status_code == 404
    assert other.get(f"/trainees/{trainee.id}/edit").status_code == 404
    assert other.post(f"/trainees/{trainee.id}/id-number", data={"reason": "identity"}).status_code == 404
    assert "张三" not in other.get("/trainees/").text
    assert "张三" not in other.post("/trainees/", data={"words": ID}, follow_redirects=True).text


def test_an_auditor_reads_and_reads_no_id_number(make: Make, sign_in: SignIn, trainee: Trainee, db: Session) -> None:
    auditor = sign_in(make.user(Role.AUDITOR))
    assert auditor.get(f"/trainees/{trainee.id}").status_code == 200
    assert auditor.post(f"/trainees/{trainee.id}/id-number", data={"reason": "identity"}).status_code == 403


def test_a_phone_is_read_for_a_reason_that_is_kept(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient]
) -> None:
    trainee = make.trainee(phone="+8613812345678", district_id=1)
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    assert "+8613812345678" not in browser.get(f"/trainees/{trainee.id}").text
    assert browser.post(f"/trainees/{trainee.id}/phone", data={"reason": "other", "sentence": "x"}).status_code == 422
    answer = browser.post(f"/trainees/{trainee.id}/phone", data={"reason": "call"})
    assert "+8613812345678" in answer.text
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.read_phone")).one()
    assert entry.subject == f"trainee:{trainee.id}"
    assert entry.reason is not None
    assert "Call about this training" in entry.reason


def test_an_auditor_searches_and_reads_masked(db: Session, make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    trainee = make.trainee("温雪梅", phone="+8613812345678")
    make.trainee("别人")
    db.flush()
    browser = sign_in(make.user(Role.AUDITOR))
    page = browser.post("/trainees/", data={"words": "温雪"}, follow_redirects=True).text
    assert "温雪梅" in page
    assert "别人" not in page
    assert "12345678" not in page
    assert browser.post(f"/trainees/{trainee.id}/phone", data={"reason": "call"}).status_code == 403


def test_the_city_sees_how_much_each_user_read(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], trainee: Trainee
) -> None:
    reader = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1, name="李区管"))
    for _ in range(3):
        reader.post(f"/trainees/{trainee.id}/phone", data={"reason": "call"})
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = city.get("/trainees/reads").text
    assert "李区管" in page
    assert '<td class="number">3</td>' in page
    assert "李区管" not in city.get("/trainees/reads?day=2020-01-01").text
    assert city.get("/trainees/reads?day=tomorrow").status_code == 200
    assert reader.get("/trainees/reads").status_code == 403
