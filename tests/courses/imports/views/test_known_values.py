"""The pages of values that the system does not know, of the rows with one reason, and of what an import made."""

import io
import re
from collections.abc import Callable

import pytest
from celery.app.task import Task
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses import tasks
from courses.models.imports import ImportRun, KnownValue
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
FILE = "名称,区,领域\n第五小学,海淀,街道\n第六小学,海淀,街道\n<b>七</b>,海淀,学校\n第八小学,火星,学校\n"
COLUMNS = {"column-name_zh": 0, "column-district": 1, "column-sector": 2, "column-name_en": -1}


@pytest.fixture(autouse=True)
def worker_is_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "apply_async", lambda *_given, **_how: None)


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def checked(browser: FlaskClient, content: str = FILE) -> str:
    """Send a file of organisations and have it checked; the address of its page."""
    sent = browser.post("/imports/new/organisations", data={"file": (io.BytesIO(content.encode()), "单位.csv")})
    page = str(sent.location)
    assert browser.post(f"{page}/columns", data=COLUMNS).status_code == 302
    tasks.sweep_imports()
    return page


def shown(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def select_of(page: str, value: str) -> str:
    found = re.search(rf'<select aria-label="[^"]*{value}[^"]*"[^>]* name="(value-\w+)"', page)
    assert found is not None
    return found[1]


def test_values_are_matched_on_the_page_and_forgotten_on_their_list(city: FlaskClient, db: Session) -> None:
    page = checked(city)
    before = shown(city, page)
    assert "系统不认识的值" in before
    assert city.post(f"{page}/values", data={}).status_code == 302
    assert "至少为一个值" in shown(city, page)
    assert city.post(f"{page}/values", data={select_of(before, "街道"): "moon"}).status_code == 302
    assert not db.scalars(select(KnownValue)).all()
    data = {select_of(before, "街道"): "community", select_of(before, "火星"): "1"}
    assert city.post(f"{page}/values", data=data).status_code == 302
    assert city.post(f"{page}/values", data=data).status_code == 409  # a second tap: it is being checked
    tasks.sweep_imports()
    db.expire_all()
    assert db.scalars(select(ImportRun.tally)).one()["new"] == 4
    assert "系统不认识的值" not in shown(city, page)
    listed = shown(city, "/imports/known-values")
    assert ("街道" in listed, "社区" in listed, "火星" in listed, "东城区" in listed) == (True,) * 4
    forget = re.findall(r'action="(/imports/known-values/\d+/forget)"', listed)
    assert [city.post(address).status_code for address in (*forget, forget[0])] == [302, 302, 404]
    assert "没有记住的值" in shown(city, "/imports/known-values")


def test_rows_of_a_reason_are_opened_corrected_and_downloaded(city: FlaskClient, db: Session) -> None:
    page = checked(city)
    groups = re.findall(rf'href="({page}/rows/\w+)"', shown(city, page))
    assert len(groups) == 2
    rows = shown(city, groups[0])
    assert ("第五小学" in rows, "第六小学" in rows, "第八小学" in rows) == (True, True, False)
    answer = city.get(f"{page}/rows-to-correct.csv?group={groups[1].rsplit('/')[-1]}")
    text = answer.get_data(as_text=True)
    assert ("第八小学" in text, "第五小学" in text) == (True, False)
    kept = {"cell-2-2": "社区", "was-2-2": "街道", "cell-2-0": "第五小学", "was-2-0": "第五小学"}
    assert city.post(groups[0], data=kept).status_code == 302
    assert "1 个单元格" in shown(city, page)
    assert 'value="社区"' in shown(city, groups[0])
    assert city.post(groups[0], data={"cell-3-2": "社区", "was-3-2": "街道", "check": "1"}).status_code == 302
    tasks.sweep_imports()
    db.expire_all()
    tally = db.scalars(select(ImportRun.tally)).one()
    assert (tally["new"], tally["refused"]) == (3, 1)
    assert city.get(groups[0]).status_code == 404  # no row has this reason any more
    assert city.get(f"{groups[1]}?page=2").status_code == 404
    assert city.post(groups[1], data={"cell-9-77": "x"}).status_code == 404
    assert city.post(f"{page}/rows/check").status_code == 302


def test_what_an_import_made_is_listed_with_links(city: FlaskClient, db: Session) -> None:
    page = checked(city)
    city.post(f"{page}/start")
    tasks.sweep_imports()
    assert "查看导入了什么" in shown(city, page)
    listed = shown(city, f"{page}/made")
    assert "&lt;b&gt;七&lt;/b&gt;" in listed
    [record] = re.findall(r'href="(/organisations/\d+)"', listed)
    assert city.get(record).status_code == 200


def test_another_administrators_import_is_not_found(city: FlaskClient, make: Make, sign_in: SignIn) -> None:
    page = checked(city)
    [group, *_others] = re.findall(rf'href="({page}/rows/\w+)"', shown(city, page))
    other = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    answers = [other.get(group), other.post(group), other.get(f"{page}/made"), other.post(f"{page}/values"),
               other.post(f"{page}/rows/check")]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 5
