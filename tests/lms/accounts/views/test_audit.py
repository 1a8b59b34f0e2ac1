"""The audit trail's page: who did what to what, from what to what, why and when."""

import csv
import io
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import audit
from lms.core.audit import AuditEntry
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


def test_the_entries_of_the_page_are_exported_as_the_page_shows_them(make: Make, sign_in: SignIn, db: Session) -> None:
    actor = make.user(Role.CITY_ADMINISTRATOR, name="郑红")
    audit.act_as(db, actor.id)
    before, after = {"name": "张三", "phone": None}, {"name": "=1+1", "phone": "138****0000"}
    audit.record(db, "trainee.change", "trainee:17", before=before, after=after, reason="证件核对")
    audit.record(db, "organisation.add", "organisation:1", after={"district_id": 2, "active": True})
    db.commit()
    browser = sign_in(make.user(Role.AUDITOR, name="审计员甲"))
    answer = browser.get("/audit/export.csv?action=trainee.change&lang=zh")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=audit-")
    lines = list(csv.reader(answer.data.decode("utf-8-sig").splitlines(keepends=True)))
    assert lines[1] == ["操作", "修改学员信息"]
    assert ["生成人", "审计员甲"] in lines
    head = lines.index(["序号", "时间", "用户", "操作", "对象", "编号", "变更", "原因"])
    (row,) = lines[head + 1 :]
    number = db.scalar(select(AuditEntry.id).where(AuditEntry.action == "trainee.change"))
    assert row[0] == str(number)
    assert row[2:] == ["郑红", "修改学员信息", "学员", "17", "姓名 张三 → =1+1\n手机号 138****0000", "证件核对"]
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "audit.export")).one()
    assert entry.after == {"format": "csv", "rows": 1, "filters": {"action": "trainee.change"}}


def test_a_spreadsheet_holds_the_same_rows(make: Make, sign_in: SignIn, db: Session) -> None:
    audit.record(db, "trainee.change", "trainee:17", after={"name": "张三"})
    db.commit()
    answer = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/audit/export.xlsx?action=trainee.change&lang=en")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["Audit", "说明 About"]
    sheet = book.get_sheet_by_index(0).to_python()
    assert sheet[-1][2:7] == ["The system", "Trainee changed", "Trainee", "17", "Name 张三"]


def test_too_many_entries_are_no_file(app: Flask, background: None, make: Make, sign_in: SignIn, db: Session) -> None:
    for number in range(3):
        audit.record(db, "trainee.change", f"trainee:{number}")
    db.commit()
    browser = sign_in(make.user(Role.AUDITOR))
    answer = browser.get("/audit/export.csv?action=trainee.change")
    assert answer.location == "/audit/?action=trainee.change"
    shown = browser.get(answer.location)
    page = shown.text
    assert shown.status_code == 200
    assert "请缩短日期范围" in page
    assert "export.csv" not in page


def test_the_password_is_asked_before_the_audit_is_exported(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.AUDITOR)
    browser = sign_in(user)
    db.execute(text("UPDATE browser_session SET confirmed_at = NULL"))
    db.commit()
    assert "/sign-in/confirm" in browser.get("/audit/export.csv").location


@pytest.mark.parametrize("role", [Role.DISTRICT_ADMINISTRATOR, Role.COORDINATOR, Role.INSTRUCTOR])
def test_others_export_no_audit(make: Make, sign_in: SignIn, role: Role) -> None:
    assert sign_in(make.user(role)).get("/audit/export.csv").status_code == 403
