"""The audit trail's page: who did what to what, from what to what, why and when."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import audit
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ZONE = ZoneInfo("Asia/Shanghai")


def test_who_what_from_to_why_and_when_can_be_read(make: Make, sign_in: SignIn, db: Session) -> None:
    actor = make.user(Role.CITY_ADMINISTRATOR, name="郑红")
    audit.act_as(db, actor.id)
    audit.record(
        db, "trainee.change", "trainee:17", before={"name": "张 <三>"}, after={"name": "张三"}, reason="证件核对"
    )
    db.commit()
    browser = sign_in(make.user(Role.AUDITOR))
    for address, words in (
        ("/audit/", ("郑红", "修改学员信息", "学员 17", "张 &lt;三&gt;", "张三", "证件核对")),
        ("/audit/?lang=en", ("郑红", "Trainee changed", "Trainee 17", "Reason: 证件核对")),
    ):
        page = browser.get(address).text
        assert [word for word in words if word not in page] == []
        assert 'href="/trainees/17"' in page


def test_places_roles_and_moments_are_named(make: Make, sign_in: SignIn, db: Session) -> None:
    sessions = [{"starts_at": "2026-03-01T01:00:00+00:00", "place": None}]
    audit.record(db, "user.grant", "app_user:1", after={"roles": ["district_administrator district:3", "auditor"]})
    audit.record(db, "organisation.add", "organisation:1", after={"district_id": 2, "sector": "school", "active": True})
    audit.record(db, "offering.change", "offering:1", before={"sessions": sessions}, after={"sessions": []})
    db.commit()
    page = sign_in(make.user(Role.AUDITOR)).get("/audit/").text
    for words in ("区级管理员 · 朝阳区；审计员", "西城区", "学校", "是", "地点 —，开始 2026-03-01 09:00"):
        assert words in page


def test_a_wrong_day_in_the_address_breaks_nothing(make: Make, sign_in: SignIn) -> None:
    assert sign_in(make.user(Role.AUDITOR)).get("/audit/?since=yesterday&action=none&page=-3").status_code == 200


def test_entries_cannot_be_changed(db: Session) -> None:
    audit.record(db, "user.change", "app_user:1")
    db.flush()
    with pytest.raises(DBAPIError), db.begin_nested():
        db.execute(text("UPDATE audit_entry SET reason = 'x'"))
