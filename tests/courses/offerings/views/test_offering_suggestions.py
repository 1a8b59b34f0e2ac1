"""Suggestions in the planner's form: few are on the page, and of many the matching ones are fetched."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.offerings.views.offerings import MAX_INLINE_SUGGESTIONS, MAX_SUGGESTIONS
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
MAX_PAGE_BYTES = 60_000


@pytest.fixture
def district(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))


def test_few_suggestions_are_on_the_page_and_many_are_fetched(db: Session, make: Make, district: FlaskClient) -> None:
    make.organisation(2, name_zh="红星小学")
    make.organisation(3, name_zh="蓝天小学")
    db.commit()
    page = district.get("/offerings/new").text
    assert '<option value="红星小学 · 西城区">' in page
    assert "蓝天小学" not in page
    for number in range(MAX_INLINE_SUGGESTIONS + 5):
        make.organisation(2, name_zh=f"第{number}实验小学教育集团", name_en=f"Experimental School {number}")
        make.instructor(name=f"王老师{number}", district_id=2)
    db.commit()
    answer = district.get("/offerings/new")
    assert "实验小学" not in answer.text
    assert "王老师" not in answer.text
    assert 'data-address="/offerings/suggestions/hosts"' in answer.text
    assert 'data-address="/offerings/suggestions/instructors"' in answer.text
    assert len(answer.data) < MAX_PAGE_BYTES


def test_suggestions_match_the_input_within_the_user_s_scope(db: Session, make: Make, district: FlaskClient) -> None:
    make.organisation(2, name_zh="红星小学")
    make.organisation(3, name_zh="红星中学")
    teacher = make.instructor(name="王红星", district_id=2)
    make.instructor(name="李红星", district_id=3)
    for number in range(MAX_SUGGESTIONS + 5):
        make.organisation(2, name_zh=f"第{number}实验小学")
    db.commit()

    def found(kind: str, text: str) -> list[str]:
        answer = district.get(f"/offerings/suggestions/{kind}", query_string={"text": text})
        assert answer.status_code == 200
        assert isinstance(answer.json, list)
        return answer.json

    assert found("hosts", "红星") == found("hosts", "红星小学 · 西城区") == ["红星小学 · 西城区"]
    assert len(found("hosts", "实验")) == MAX_SUGGESTIONS
    assert found("instructors", "红星") == [f"王红星 · {teacher.registration_number}"]
    for text in ("", " ", "%", "赵", "x" * 5000):
        assert found("hosts", text) == found("instructors", text) == []


def test_suggestions_are_for_staff_alone(make: Make, sign_in: SignIn) -> None:
    for role in (Role.INSTRUCTOR, Role.AUDITOR, Role.TRAINEE):
        browser = sign_in(make.user(role))
        assert browser.get("/offerings/suggestions/instructors?text=王").status_code == 403
