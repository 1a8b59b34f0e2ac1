"""Pages of the catalogue: administrators and auditors read them, and only the city's administrators change courses."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.catalogue import AttendanceRule, Course, Programme
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
FACTS = {
    "code": "DROWNING", "programme_code": "RESCUE", "name_zh": "防溺水", "name_en": "Drowning", "hours": "2.5",
    "capacity": "40", "active": "y", "skills-0-name_zh": "抛投", "skills-0-name_en": "Throwing",
    "skills-1-name_zh": "", "skills-1-name_en": "",
}  # fmt: skip


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def test_adds_a_course_and_changes_it(db: Session, city: FlaskClient) -> None:
    answer = city.post("/catalogue/new", data=FACTS)
    course = db.scalars(select(Course).where(Course.code == "DROWNING")).one()
    assert answer.location == f"/catalogue/{course.id}"
    assert "抛投" in city.get(answer.location).text
    edit = f"{answer.location}/edit"
    assert "DROWNING" in city.get(edit).text
    changed = {name: value for name, value in FACTS.items() if name != "code"} | {
        "hours": "3", "skills-0-skill_id": course.skills[0].id, "skills-1-name_zh": "呼救", "skills-1-name_en": "Calling",
    }  # fmt: skip
    assert city.post(edit, data=changed).status_code == 302
    db.expire_all()
    assert float(course.hours) == 3
    assert [skill.name_en for skill in course.skills] == ["Throwing", "Calling"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "FR-16"}, {"code": "fr 16"}, {"hours": "0"}, {"capacity": ""}, {"pass_mark": "101"},
        {"certificate_type": "256"}, {"skills-0-name_en": ""}, {"programme_code": "NONE"},
    ],
)  # fmt: skip
def test_an_error_keeps_the_input(db: Session, city: FlaskClient, changes: dict[str, str]) -> None:
    answer = city.post("/catalogue/new", data=FACTS | changes)
    assert answer.status_code == 422
    assert 'value="抛投"' in answer.text
    assert "invalid" in answer.text or "alert-danger" in answer.text
    assert db.scalars(select(Course).where(Course.name_en == "Drowning")).all() == []


def test_buttons_of_the_form_move_and_remove_rows(city: FlaskClient) -> None:
    two = FACTS | {"skills-1-name_zh": "呼救", "skills-1-name_en": "Calling"}
    raised = city.post("/catalogue/new", data=two | {"raise_skill": "1"})
    assert raised.status_code == 200
    assert raised.text.index("呼救") < raised.text.index("抛投")
    assert "抛投" not in city.post("/catalogue/new", data=two | {"remove_skill": "0"}).text
    assert 'name="skills-2-name_zh"' in city.post("/catalogue/new", data=two | {"add_skill": "1"}).text


def test_the_form_of_a_course_names_its_active_skills_by_their_ids(db: Session, make: Make, city: FlaskClient) -> None:
    course = make.course("FR-8")
    course.skills[0].active = False
    db.commit()
    page = city.get(f"/catalogue/{course.id}/edit").text
    ids = re.findall(r'name="skills-\d+-skill_id" type="hidden" value="(\d*)"', page)
    assert ids == [str(skill.id) for skill in course.skills[1:]]


def test_what_must_be_held_is_entered_kept_on_an_error_and_shown(db: Session, city: FlaskClient) -> None:
    demand = {
        "prerequisites-0-certificate_type": "1", "prerequisites-0-lapse": "months", "prerequisites-0-months": "24",
        "prerequisites-0-source": "办法 2026", "prerequisites-0-since": "2027-01-01",
    }  # fmt: skip
    wrong = (
        {"prerequisites-0-months": ""}, {"prerequisites-0-source": " "}, {"prerequisites-0-since": ""},
        {"prerequisites-0-certificate_type": "9"}, {"prerequisites-0-months": "0"}, {"prerequisites-0-lapse": "some"},
        {name.replace("-0-", "-1-"): value for name, value in demand.items()},
    )  # fmt: skip
    for change in wrong:
        answer = city.post("/catalogue/new", data=FACTS | demand | change)
        assert answer.status_code == 422, change
    added = city.post("/catalogue/new", data=FACTS | {"add_prerequisite": "1"})
    assert clock.branch_today().isoformat() in added.text
    assert (
        'value="办法 2026"' not in city.post("/catalogue/new", data=FACTS | demand | {"remove_prerequisite": "0"}).text
    )
    address = city.post("/catalogue/new", data=FACTS | demand).location
    page = city.get(address).text
    assert "救护员证书，有效或过期不超过 24 个月" in page
    assert "办法 2026" in page
    assert 'value="24"' in city.get(f"{address}/edit").text
    city.post(f"{address}/edit", data=FACTS | demand | {"prerequisites-0-lapse": "any"})
    assert "有效或已过期均可" in city.get(address).text


def test_a_programme_is_added_and_renamed_with_its_codes_fixed(db: Session, city: FlaskClient) -> None:
    facts = {"code": "PEER", "short_code": "PE", "name_zh": "同伴教育", "name_en": "Peer education", "position": "4"}
    assert city.post("/catalogue/programmes/new", data=facts).status_code == 302
    assert "同伴教育" in city.get("/catalogue/").text
    again = city.post("/catalogue/programmes/new", data=facts | {"code": "PEERS"})
    assert again.status_code == 422
    assert "字母代号" in again.text
    renamed = facts | {"name_zh": "青年同伴教育", "short_code": "XX"}
    assert city.post("/catalogue/programmes/PEER/edit", data=renamed).status_code == 302
    db.expire_all()
    programme = db.scalars(select(Programme).where(Programme.code == "PEER")).one()
    assert (programme.name_zh, programme.short_code) == ("青年同伴教育", "PE")


@pytest.mark.parametrize("role", [Role.DISTRICT_ADMINISTRATOR, Role.AUDITOR])
def test_others_read_and_do_not_change(make: Make, sign_in: SignIn, role: Role) -> None:
    browser = sign_in(make.user(role))
    course = make.course()
    page = browser.get("/catalogue/")
    assert "初级急救员" in page.text
    assert "/catalogue/new" not in page.text
    assert browser.get(f"/catalogue/{course.id}").status_code == 200
    for address in ("/catalogue/new", f"/catalogue/{course.id}/edit", "/catalogue/programmes/new"):
        assert browser.get(address).status_code == 403
        assert browser.post(address, data=FACTS).status_code == 403


def test_the_attendance_that_a_course_requires_is_all_or_a_share(db: Session, city: FlaskClient) -> None:
    plain = city.post("/catalogue/new", data=FACTS | {"minutes_share": "80"})
    course = db.scalars(select(Course).where(Course.code == "DROWNING")).one()
    assert (course.attendance_rule, course.minutes_share) == (AttendanceRule.ALL, None)
    assert "全部计划课次" in city.get(plain.location).text
    edit = f"{plain.location}/edit"
    without = city.post(edit, data=FACTS | {"attendance_rule": "share"})
    assert (without.status_code, "请填写比例" in without.text) == (422, True)
    for wrong in ({"attendance_rule": "2"}, {"attendance_rule": "share", "minutes_share": "101"}):
        assert city.post(edit, data=FACTS | wrong).status_code == 422
    assert city.post(edit, data=FACTS | {"attendance_rule": "share", "minutes_share": "80"}).status_code == 302
    db.expire_all()
    assert (course.attendance_rule, course.minutes_share) == (AttendanceRule.SHARE, 80)
    assert "At least 80 % of the planned minutes" in city.get(f"{plain.location}?lang=en").text
    assert "时长不少于计划的80%" in city.get("/catalogue/?lang=zh").text
