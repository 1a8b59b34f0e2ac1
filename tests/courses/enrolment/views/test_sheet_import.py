"""Pages of a list of people: pasting it, choosing its sheet, putting rows right, and two windows with the same list."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import daily_counts
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import IdType
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.enrolment.sheets import ID, book_of, csv_of
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def offering(make: Make) -> Offering:
    """A coming offering of district 1."""
    return make.offering(capacity=30, organisation=make.organisation(1), starts=[clock.now() + timedelta(days=3)])


@pytest.fixture
def coordinator(db: Session, make: Make, sign_in: SignIn, offering: Offering) -> FlaskClient:
    """The browser of the host's coordinator."""
    browser = sign_in(make.user(Role.COORDINATOR, organisation_id=offering.organisation_id))
    db.commit()
    return browser


def send(
    browser: FlaskClient, offering: Offering, *, text: str = "", content: bytes = b"", name: str = "名单.csv"
) -> str:
    """Send a text or a file, and return the address of its rows."""
    data = {"text": text} if text else {"file": (io.BytesIO(content), name)}
    answer = browser.post(f"/offerings/{offering.id}/enrolments/import", data=data)
    assert answer.status_code == 302
    return str(answer.location)


def enrolled(db: Session, offering: Offering) -> list[str]:
    rows = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id).order_by(Enrolment.id))
    return [row.trainee.name for row in rows]


def test_a_pasted_list_is_put_right_row_by_row_and_enrolled(
    db: Session, coordinator: FlaskClient, offering: Offering
) -> None:
    address = send(
        coordinator,
        offering,
        text="#接龙\n例 姓名 手机\n1. 王小明 13800138000 男\n2. 李雷 三班 13800138001\n3. 韩梅梅\n4. 吉姆 13800138003/13800138004",
    )
    page = coordinator.get(f"{address}?lang=zh").text
    assert "可报名1行，3行无法报名" in page or "1行" in page
    assert "未能识别：三班" in page
    assert "“女”" not in page
    assert "“男”" in page
    assert 'value="13800138003/13800138004"' in page or 'value="13800138003 / 13800138004"' in page
    cells = {"name": "李雷", "phone": "13800138001", "id_type": "resident"}
    assert coordinator.post(f"{address}/rows/4", data=cells).location == f"{address}#row-4"
    # Still wrong: the row stays among those that cannot be enrolled, with what was typed.
    coordinator.post(f"{address}/rows/5", data={"name": "韩梅梅", "phone": "123"})
    page = coordinator.get(address).text
    assert 'value="123"' in page
    assert "未能识别" not in page
    coordinator.post(f"{address}/rows/6/leave_out")
    page = coordinator.get(address).text
    assert "您选择不导入的行" in page
    coordinator.post(f"{address}/rows/2/take_back")  # the example line was a person after all
    page = coordinator.get(address).text
    assert 'id="row-2" class="list-row-judged"' in page
    assert coordinator.post(f"{address}/apply").status_code == 302
    assert enrolled(db, offering) == ["王小明", "李雷"]


def test_the_sheet_is_chosen_on_a_page_and_what_was_not_read_is_named(
    db: Session, coordinator: FlaskClient, offering: Offering
) -> None:
    first = [["姓名", "手机", "性别", "单位"], ["甲", "13800138001", "男", "一小"], ["负责人签字：", "", "", ""]]
    sheets = {"填写说明": [["请填写"]], "一班": first, "二班": [["姓名", "手机"], ["乙", "13800138002"]]}
    content = book_of(sheets | {"旧名单": sheets["二班"]}, hidden=["旧名单"])
    address = send(coordinator, offering, content=content, name="名单.xlsx")
    chosen = coordinator.get(f"{address}?lang=zh")
    assert chosen.location == f"{address}/sheet"
    page = coordinator.get(chosen.location).text
    for text in ("一班", "二班", "旧名单", "隐藏", "共 1 人", "填写说明"):
        assert text in page
    assert coordinator.post(f"{address}/sheet", data={}).status_code == 422
    assert coordinator.post(f"{address}/sheet", data={"sheet": "三班"}).status_code in {404, 422}
    assert coordinator.post(f"{address}/apply").location == address
    assert coordinator.post(f"{address}/sheet", data={"sheet": "一班"}).location == address
    page = coordinator.get(address).text
    for text in ("“性别”（C列）", "“单位”（D列）", "负责人签字：", "填写说明、二班", "旧名单", "第3行"):
        assert text in page
    coordinator.post(f"{address}/apply")
    assert enrolled(db, offering) == ["甲"]


def test_hidden_rows_are_named_and_read_when_the_person_says_so(coordinator: FlaskClient, offering: Offering) -> None:
    rows = [["姓名", "手机"], ["甲", "13800138001"], ["乙", "13800138002"]]
    address = send(coordinator, offering, content=book_of({"名单": rows}, hidden_rows={"名单": [2]}), name="名单.xlsx")
    page = coordinator.get(f"{address}?lang=zh").text
    assert "第3行" in page
    assert "未读取" in page
    assert "乙" not in page
    coordinator.post(f"{address}/sheet", data={"sheet": "名单", "hidden": "yes"})
    page = coordinator.get(address).text
    assert "乙" in page
    assert "已一并读取" in page


def test_two_windows_with_one_list_do_not_overwrite_each_other(
    db: Session, coordinator: FlaskClient, offering: Offering
) -> None:
    address = send(coordinator, offering, content=csv_of("甲,1,,,,,,", "乙,2,,,,,,", "丙,13800138003,,,,,,"))
    page = coordinator.get(f"{address}?lang=zh").text
    states = re.findall(r'name="was" value="([0-9a-f]+)"', page)
    [revision] = re.findall(r'name="revision" value="(\d+)"', page)
    one, other = ({"name": "甲", "phone": phone, "was": states[0]} for phone in ("13800138001", "13800138009"))
    coordinator.post(f"{address}/rows/2", data=one)
    coordinator.post(f"{address}/rows/2", data=other)  # from a window that still shows the row as it was
    assert "第2行已在其他窗口中修改" in coordinator.get(address).text
    # Another row of that window can be put right all the same.
    coordinator.post(f"{address}/rows/3", data={"name": "乙", "phone": "13800138002", "was": states[1]})
    assert "其他窗口" not in coordinator.get(address).text
    assert coordinator.post(f"{address}/apply", data={"revision": revision}).location == address
    assert "尚未为任何人报名" in coordinator.get(address).text
    assert enrolled(db, offering) == []
    [revision] = re.findall(r'name="revision" value="(\d+)"', coordinator.get(address).text)
    coordinator.post(f"{address}/apply", data={"revision": revision})
    assert enrolled(db, offering) == ["甲", "乙", "丙"]
    phones = db.scalars(select(Enrolment).order_by(Enrolment.id)).all()
    assert phones[0].phone == "+8613800138001"
    for path in ("rows/2", "rows/2/leave_out", "sheet", "apply"):
        assert coordinator.post(f"{address}/{path}", data=one).status_code == 409


def test_putting_a_row_right_finds_nobodys_name_for_an_id_number(
    db: Session, make: Make, coordinator: FlaskClient, offering: Offering
) -> None:
    make.trainee("真名").set_id_number(IdType.RESIDENT, ID)
    db.commit()
    address = send(coordinator, offering, content=csv_of("甲,1,,,,,,"))
    for number in range(daily_counts.CONFLICTS_PER_DAY + 2):
        coordinator.post(f"{address}/rows/2", data={"name": f"猜{number}", "phone": "13800138001", "id_number": ID})
    answer = coordinator.post(
        f"{address}/rows/2?lang=zh",
        data={"name": "真名", "phone": "13800138001", "id_number": ID},
        follow_redirects=True,
    )
    assert "真名" not in answer.text


def test_a_file_and_a_text_are_not_sent_at_once_and_nothing_is_refused(
    coordinator: FlaskClient, offering: Offering
) -> None:
    base = f"/offerings/{offering.id}/enrolments/import"
    both = {"text": "1. 甲 13800138001", "file": (io.BytesIO(csv_of("乙,13800138002,,,,,,")), "a.csv")}
    for data in (both, {"text": " \n "}, {}, {"text": "大家好"}):
        answer = coordinator.post(base, data=data)
        assert answer.status_code in ({422} if data != {"text": "大家好"} else {302, 422})


def test_rows_beyond_the_first_have_their_fields_on_a_page_of_their_own(
    coordinator: FlaskClient, offering: Offering
) -> None:
    address = send(
        coordinator, offering, content=csv_of(*(f"人{n},1,,,,,," for n in range(40)), "甲,13800138001,,,,,,")
    )
    page = coordinator.get(f"{address}?lang=zh").text
    assert page.count('name="was"') == 30
    assert 'id="name-41"' not in page
    assert 'id="name-41"' in coordinator.get(f"{address}?row=41").text
    assert 'id="name-42"' in coordinator.get(f"{address}?row=42").text  # a row that can be enrolled may be changed too
    assert coordinator.get(f"{address}?row=x").status_code == 200
    assert coordinator.post(f"{address}/rows/99", data={"name": "甲"}).status_code == 404
    assert coordinator.post(f"{address}/rows/99/take_back").status_code == 404
    long = coordinator.post(f"{address}/rows/2", data={"name": "甲" * 501}, follow_redirects=True)
    assert "内容过长" in long.text
