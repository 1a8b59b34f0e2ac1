"""The public form on which an organisation asks for a training: what it stores, shows and bounds."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.training_requests import ContactPerson, TrainingRequest
from courses.offerings.views import ask_training
from lms.core.messages.models import Message
from tests.factories import Make

FACTS = {
    "organisation_name": "景山学校", "district_id": "3", "people": "40", "days": "五月的周六", "place": "礼堂",
    "contact_name": "周老师", "phone": "138 1111 2222", "email": "zhou@example.org", "remarks": "有轮椅坡道",
    "consent": "y", "privacy_version": "1",
}  # fmt: skip


def facts(make: Make, client: FlaskClient, **changes: Any) -> dict[str, Any]:
    page = client.get("/training/ask").text
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    return FACTS | {"course_id": str(make.course().id), "form_key": key[1]} | changes


def stored(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(TrainingRequest)) or 0


def test_is_stored_once_however_often_it_is_sent(db: Session, make: Make, client: FlaskClient) -> None:
    sent = facts(make, client)
    for _ in range(2):
        answer = client.post("/training/ask", data=sent)
        assert (answer.status_code, answer.location) == (302, "/training/ask/received")
    request = db.scalars(select(TrainingRequest)).one()
    assert request.contact == ContactPerson("周老师", "+8613811112222", "zhou@example.org", "有轮椅坡道")
    assert (request.district_id, request.people, request.language) == (3, 40, "zh")
    assert "区红十字会已收到" in client.get("/training/ask/received").text
    client.post("/training/ask", data=facts(make, client, days="六月"))
    assert stored(db) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"organisation_name": " "}, {"district_id": ""}, {"district_id": "99"}, {"district_id": "x" * 300},
        {"course_id": ""}, {"course_id": "999999999999999999999"}, {"course_id": "-1"},
        {"people": "0"}, {"people": "2001"}, {"people": "1e3"}, {"people": "9" * 5000}, {"days": ""}, {"days": "日" * 301},
        {"phone": "", "email": ""}, {"phone": "12"}, {"email": "x@"}, {"contact_name": "\u200b"}, {"remarks": "a" * 501},
        {"consent": ""}, {"privacy_version": "7"}, {"privacy_version": "x"}, {"organisation_name": "学校\0"},
    ],
)  # fmt: skip
def test_odd_values_are_refused_and_nothing_is_lost(
    db: Session, make: Make, client: FlaskClient, changes: dict[str, str]
) -> None:
    answer = client.post("/training/ask", data=facts(make, client, **changes))
    assert answer.status_code in {400, 422}
    if answer.status_code == 422 and "contact_name" not in changes:
        assert 'value="周老师"' in answer.text
    assert stored(db) == 0


def test_one_phone_asks_five_times_a_day_and_gets_two_receipts(db: Session, make: Make, client: FlaskClient) -> None:
    answers = [
        client.post("/training/ask", data=facts(make, client, days=f"第{number}周", email="")).status_code
        for number in range(6)
    ]
    assert answers == [302] * 5 + [422]
    assert stored(db) == 5
    assert db.scalar(select(func.count()).select_from(Message)) == ask_training.RECEIPTS_PER_CONTACT.amount


def test_tells_a_visitor_nothing_of_the_register(make: Make, client: FlaskClient) -> None:
    make.organisation(name_zh="不公开的单位")
    page = client.get("/training/ask").text
    assert "不公开的单位" not in page
    assert "suggest" not in page
    assert client.get("/offerings/suggestions/hosts?text=不").status_code in {302, 401}
