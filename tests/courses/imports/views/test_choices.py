"""The choices on the pages of imports: the sheet, the columns that are kept, the meaning of values, and checking again."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from celery.app.task import Task
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses import tasks
from courses.imports import presence_values
from courses.models.imports import ImportMapping, ImportRun, ImportState
from lms.accounts.models import User
from lms.core.scope import Role
from tests.courses.imports.past_files import FIELDS, HEADINGS, PastWorld
from tests.courses.imports.test_sheets import EAST, WEST
from tests.courses.imports.workbooks import workbook
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def worker_is_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "apply_async", lambda *_given, **_how: None)


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def send(browser: FlaskClient, content: bytes, kind: str, name: str) -> str:
    answer = browser.post(f"/imports/new/{kind}", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.location)


def text(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def plain(html: str) -> str:
    """The text of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def past_file(world: PastWorld, present: list[str], **cells: str) -> bytes:
    """A file of past trainings with a row for each value of presence, and two columns that no field has."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*HEADINGS, "性别", "民族"])
    for number, value in enumerate(present):
        row = world.row(name=f"学员{number}", phone=f"1380013{number:04}", present=value, **cells)
        writer.writerow([*(row.get(field, "") for field in FIELDS), "女", "汉"])
    return out.getvalue().encode()


def selects(page: str) -> dict[str, str]:
    """The selects of the table of values: the value that each is for, and its name."""
    return dict(re.findall(r'<select aria-label="“([^”]*)”[^"]*"[^>]* name="(meaning-\w+)"', page))


def chosen_columns() -> dict[str, object]:
    return {f"column-{field}": at for at, field in enumerate(FIELDS)}


def test_a_file_of_two_lists_waits_for_the_choice_of_one(city: FlaskClient, db: Session) -> None:
    page = send(city, workbook({"东城": EAST, "西城": WEST}), "organisations", "单位.xlsx")
    shown = text(city, page)
    assert ("甲小学" in shown, "乙小学" in shown, "/columns" in shown) == (True, True, False)
    assert city.post(f"{page}/sheet", data={}).status_code == 422
    assert city.post(f"{page}/sheet", data={"sheet": "南城"}).status_code == 422
    assert city.post(f"{page}/sheet", data={"sheet": "西城"}).status_code == 302
    shown = text(city, page)
    assert "未读取" in shown
    assert "其他工作表：东城" in plain(shown)
    data = {"column-name_zh": 0, "column-district": 1, "column-sector": 2, "column-name_en": -1}
    assert city.post(f"{page}/columns", data=data).status_code == 302
    tasks.sweep_imports()
    shown = plain(text(city, page))
    assert "其他工作表：东城" in shown
    assert "工作表 西城" in shown
    assert city.post(f"{page}/sheet", data={"sheet": "东城"}).status_code == 422  # it is checked already
    assert db.scalars(select(ImportRun.sheet_name)).one() == "西城"


def test_odd_names_of_sheets_and_odd_values_are_shown_and_chosen_as_they_are(
    city: FlaskClient, world: PastWorld, db: Session
) -> None:
    odd = " 甲 <b>&\"'班 "
    page = send(city, workbook({odd: EAST, "乙": WEST}), "organisations", "单位.xlsx")
    assert "<b>&amp;" not in text(city, page)
    assert city.post(f"{page}/sheet", data={"sheet": odd}).status_code == 302
    assert db.scalars(select(ImportRun.sheet_name)).one() == odd
    page = send(city, past_file(world, ["<i>\"'%s\\", "√"]), "past", "a.csv")
    shown = text(city, page)
    assert "<i>" not in shown
    assert len(selects(shown)) == 2


def test_a_second_tap_changes_nothing(city: FlaskClient, world: PastWorld, db: Session) -> None:
    page = send(city, past_file(world, ["√", "迟到"]), "past", "a.csv")
    city.post(f"{page}/columns", data=chosen_columns())
    assert city.post(f"{page}/columns", data=chosen_columns()).status_code == 409
    tasks.sweep_imports()
    names = selects(text(city, page))
    assert city.post(f"{page}/meanings", data={names["迟到"]: "all"}).status_code == 302
    assert city.post(f"{page}/meanings", data={names["迟到"]: "none"}).status_code == 409
    tasks.sweep_imports()
    db.expire_all()
    assert [(run.state, run.tally["new"]) for run in db.scalars(select(ImportRun))] == [(ImportState.CHECKED, 2)]


def test_hidden_parts_are_named_and_long_numbers_in_sheets_are_masked(city: FlaskClient) -> None:
    rows = (("姓名", "手机", "日期"), ("王一", "13800138000", "2015-03-07"), ("王二", "13800138001", "2015-03-07"))
    content = workbook({"名单": rows, "旧": rows}, hidden=["旧"], hidden_rows=[2])
    shown = text(city, send(city, content, "past", "a.xlsx"))
    assert "隐藏的工作表：旧" in plain(shown)
    assert "隐藏的行：3" in plain(shown)
    assert "138****000" in shown
    assert "13800138000" not in shown


def test_columns_that_no_field_has_are_named_before_and_after(city: FlaskClient, world: PastWorld, db: Session) -> None:
    page = send(city, past_file(world, ["全勤"]), "past", "a.csv")
    assert "性别、民族" in text(city, page)
    assert city.post(f"{page}/columns", data=chosen_columns()).status_code == 302
    tasks.sweep_imports()
    assert "性别、民族" in text(city, page)
    city.post(f"{page}/start")
    tasks.sweep_imports()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.DONE
    assert "性别、民族" in text(city, page)


def test_values_of_attendance_are_shown_with_counts_and_a_meaning_that_can_be_changed(
    city: FlaskClient, world: PastWorld, db: Session
) -> None:
    page = send(city, past_file(world, ["√", "√", "迟到", "×", "1"]), "past", "a.csv")
    shown = text(city, page)
    table = plain(shown[shown.index('id="values"') : shown.index("</table>", shown.index('id="values"'))])
    assert [part in table for part in ("迟到 1", "√ 2", "× 1", "1 1")] == [True] * 4
    names = selects(shown)
    assert set(names) == {"迟到", "√", "×", "1"}
    answer = city.post(f"{page}/columns", data={**chosen_columns(), names["迟到"]: "all", "look": "1"})
    assert (answer.status_code, answer.location) == (302, f"{page}#values")
    run = db.scalars(select(ImportRun)).one()
    assert (run.state, run.meanings) == (ImportState.RECEIVED, {"迟到": "all"})
    assert db.scalars(select(ImportMapping.meanings)).one() == {"迟到": "all"}

    page = send(city, past_file(world, ["√", "迟到"]), "past", "b.csv")  # the meaning is offered for the next file
    shown = text(city, page)
    field = shown[shown.index(f'name="{names["迟到"]}"') :]
    assert '<option selected value="all">' in field[: field.index("</select>")]
    city.post(f"{page}/columns", data={**chosen_columns(), names["迟到"]: ""})
    db.expire_all()
    assert db.scalars(select(ImportMapping.meanings)).one() == {}


def test_the_counts_follow_the_chosen_column(city: FlaskClient, world: PastWorld) -> None:
    page = send(city, past_file(world, ["√", "×"], place="礼堂"), "past", "a.csv")
    place = FIELDS.index("place")
    city.post(f"{page}/columns", data={**chosen_columns(), "column-present": place, "look": "1"})
    assert set(selects(text(city, page))) == {"礼堂"}
    city.post(f"{page}/columns", data={**chosen_columns(), "column-present": -1, "look": "1"})
    shown = text(city, page)
    assert selects(shown) == {}
    assert "没有选择出勤课次所在的列" in shown


def test_a_column_of_names_or_phones_lists_no_personal_data(
    city: FlaskClient, world: PastWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_values, "DISTINCT_MOST", 3)
    page = send(city, past_file(world, ["√"] * 5), "past", "a.csv")
    city.post(f"{page}/columns", data={**chosen_columns(), "column-present": FIELDS.index("phone"), "look": "1"})
    assert "不同的值太多" in text(city, page)
    page = send(city, past_file(world, ["√"] * 2), "past", "a.csv")
    city.post(f"{page}/columns", data={**chosen_columns(), "column-present": FIELDS.index("phone"), "look": "1"})
    shown = text(city, page)
    assert ("138****000" in shown, "13800130000" in shown, selects(shown)) == (True, False, {})


def test_a_value_that_the_check_does_not_understand_gets_a_meaning_and_is_checked_again(
    city: FlaskClient, world: PastWorld, db: Session
) -> None:
    page = send(city, past_file(world, ["√", "迟到", "迟到"]), "past", "a.csv")
    city.post(f"{page}/columns", data=chosen_columns())
    tasks.sweep_imports()
    shown = text(city, page)
    names = selects(shown)
    assert set(names) == {"迟到"}
    assert f'action="{page}/meanings"' in shown
    assert city.post(f"{page}/meanings", data={names["迟到"]: "all"}).status_code == 302
    tasks.sweep_imports()
    db.expire_all()
    run = db.scalars(select(ImportRun)).one()
    assert (run.state, run.tally["new"], run.tally["refused"]) == (ImportState.CHECKED, 3, 0)

    assert city.post(f"{page}/reopen").status_code == 302
    db.expire_all()
    assert (run.state, run.tally) == (ImportState.RECEIVED, {})
    assert set(selects(text(city, page))) == {"迟到", "√"}
    city.post(f"{page}/columns", data={**chosen_columns(), names["迟到"]: "none"})
    tasks.sweep_imports()
    city.post(f"{page}/start")
    tasks.sweep_imports()
    db.expire_all()
    assert run.state is ImportState.DONE
    assert city.post(f"{page}/reopen").status_code == 409


def test_rows_that_wait_are_named_with_the_row_that_they_wait_for(city: FlaskClient, world: PastWorld) -> None:
    present = ["√"] * 3 + ["第九课"] + ["√"] * 2
    page = send(city, past_file(world, present), "past", "a.csv")
    city.post(f"{page}/columns", data=chosen_columns())
    tasks.sweep_imports()
    shown = plain(text(city, page))
    assert "第 5 行：" in shown
    assert "5 行等待此行更正： 2–4、6–7" in shown
    assert "5 rows wait for this: 2–4, 6–7" in plain(text(city, f"{page}?lang=en"))
