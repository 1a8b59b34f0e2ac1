"""Imports in the browser: a file is sent, mapped, checked, let in, corrected, stopped, resumed, undone; and whose it
is.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable

import pytest
from celery.app.task import Task
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses import tasks
from courses.imports import files, kinds, organisations
from courses.models.imports import ImportRun, ImportState
from lms.accounts.models import User
from lms.core import bounded_process
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from lms.core.spreadsheets import Limits
from lms.organisations.models import Organisation
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
LIST = (
    "单位,所在区,类别\n景山街道红十字会,东城区,社区\n没有的区,天津区,社区\n第五小学,海淀区,学校\n第五小学,海淀区,学校\n"
)


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The messages that wake a worker; the tests below are that worker."""
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, args=(), **_how: sent.append((task.name, *args)))
    return sent


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def send(browser: FlaskClient, content: bytes, kind: str = "organisations", name: str = "单位.csv") -> str:
    """The address of the import's page."""
    answer = browser.post(f"/imports/new/{kind}", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.location)


def text(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def check(browser: FlaskClient, page: str) -> None:
    data = {f"column-{column.name}": -1 for column in organisations.COLUMNS}
    answer = browser.post(
        f"{page}/columns", data={**data, "column-name_zh": 0, "column-district": 1, "column-sector": 2}
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)


def made(db: Session) -> set[str]:
    names = ["景山街道红十字会", "第五小学"]
    return set(db.scalars(select(Organisation.name_zh).where(Organisation.name_zh.in_(names))))


def test_a_list_from_the_file_to_the_register_and_back(
    city: FlaskClient, db: Session, messages: list[tuple[object, ...]]
) -> None:
    page = send(city, LIST.encode("gb18030"))
    shown = text(city, page)
    assert "景山街道红十字会" in shown
    run = db.scalars(select(ImportRun)).one()
    assert run.encoding == "gb18030"
    check(city, page)
    assert messages == [("courses.tasks.work_at_import", run.id)]
    assert "data-refresh" in text(city, page)
    assert made(db) == set()

    tasks.work_at_import(run.id)
    shown = text(city, page)
    assert "data-refresh" not in shown
    assert "没有“天津区”" in shown
    assert made(db) == set()
    answer = city.get(f"{page}/rows-to-correct.csv")
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = answer.data.decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(sheet)) if row]
    assert [row[:4] for row in rows[-2:]] == [["没有的区", "天津区", "社区", "3"], ["第五小学", "海淀区", "学校", "5"]]
    assert city.get(f"{page}/rows-to-correct.xlsx").data.startswith(b"PK")
    assert db.scalar(select(AuditEntry.action).where(AuditEntry.action == "import.correct").limit(1))

    city.post(f"{page}/start")
    tasks.sweep_imports()
    assert made(db) == {"景山街道红十字会", "第五小学"}
    assert city.post(f"{page}/undo", data={"reason": " "}).status_code == 422
    city.post(f"{page}/undo", data={"reason": "发错了文件"})
    tasks.sweep_imports()
    assert made(db) == set()
    assert "已撤销" in text(city, page)
    assert "单位.csv" in text(city, "/imports/")

    again = send(city, LIST.encode())  # what was chosen is remembered
    mapping = db.scalars(select(ImportRun.mapping).order_by(ImportRun.id.desc()).limit(1)).one()
    assert mapping == {"name_zh": 0, "district": 1, "sector": 2}
    assert again != page


def test_the_mended_file_goes_in_as_it_is(city: FlaskClient, db: Session) -> None:
    page = send(city, LIST.encode())
    check(city, page)
    tasks.sweep_imports()
    mended = city.get(f"{page}/rows-to-correct.csv").data.decode("utf-8-sig").replace("天津区", "东城区")
    page = send(city, mended.encode())
    check(city, page)
    tasks.sweep_imports()
    city.post(f"{page}/start")
    tasks.sweep_imports()
    assert db.scalar(select(Organisation.district_id).where(Organisation.name_zh == "没有的区")) == 1


def test_a_field_without_a_column_is_named_and_nothing_is_checked(city: FlaskClient, db: Session) -> None:
    page = send(city, LIST.encode())
    data = {f"column-{column.name}": -1 for column in organisations.COLUMNS}
    answer = city.post(f"{page}/columns", data=data)
    assert answer.status_code == 422
    assert "is-invalid" in answer.get_data(as_text=True)
    assert db.scalars(select(ImportRun.state)).one() is ImportState.RECEIVED


def test_it_stops_resumes_and_never_goes_back(city: FlaskClient, db: Session) -> None:
    page = send(city, LIST.encode())
    assert city.post(f"{page}/start").status_code == 409  # not checked yet
    check(city, page)
    city.post(f"{page}/stop")
    assert "停止" in text(city, page)
    tasks.sweep_imports()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.STOPPED
    assert city.get(f"{page}/undo").status_code == 302  # nothing to undo
    city.post(f"{page}/resume")
    tasks.sweep_imports()
    db.expire_all()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.CHECKED


def test_an_error_of_ours_is_said_and_can_be_resumed(
    city: FlaskClient, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = send(city, LIST.encode())
    check(city, page)
    with monkeypatch.context() as broken:
        broken.setattr(organisations.ORGANISATIONS, "classify", lambda *_given: 1 // 0)
        tasks.sweep_imports()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.FAILED
    assert 'class="alert alert-danger"' in text(city, page)
    assert f'action="{page}/resume"' in text(city, page)
    city.post(f"{page}/resume")
    tasks.sweep_imports()
    db.expire_all()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.CHECKED


def test_a_file_that_cannot_be_read_to_its_end_asks_for_another(city: FlaskClient, db: Session) -> None:
    wide = "a," * 120 + "\n"
    page = send(city, (LIST + "第六小学,海淀区,学校\n" * 30 + wide).encode())
    check(city, page)
    tasks.sweep_imports()
    assert db.scalars(select(ImportRun.state)).one() is ImportState.FAILED
    shown = text(city, page)
    assert f"{page}/resume" not in shown
    assert 'href="/imports/new/organisations"' in shown


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/a", bytes(2 << 20))
    return out.getvalue()


def test_what_cannot_be_read_is_refused_in_words(
    city: FlaskClient, app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WORKBOOK_LIMITS", Limits(unpacked_bytes=1 << 20))
    small = app.config["SETTINGS"].model_copy(update={"import_limit_bytes": 100_000})
    monkeypatch.setitem(app.config, "SETTINGS", small)

    def refusal(content: bytes, name: str = "a.csv") -> str:
        answer = city.post("/imports/new/organisations", data={"file": (io.BytesIO(content), name)})
        assert answer.status_code == 422
        found = re.search(r'invalid-feedback d-block" id="file-error">([^<]+)<', answer.get_data(as_text=True))
        assert found is not None
        return found[1]

    assert {refusal(b"", "a.csv"), refusal(b"\n\n", "a.csv")} == {"文件中没有数据行。"}
    refused = {refusal(b"\xff\xff\x00\x81"), refusal(b"PK\x03\x04 no archive", "a.xlsx"), refusal(b"%PDF", "a.pdf")}
    refused |= {refusal(bomb(), "a.xlsx"), refusal(b"\xd0\xcf\x11\xe0" + bytes(64), "a.xlsx")}
    assert len(refused) == 4  # unreadable text and a broken archive are told alike
    assert "MB" in refusal(b"a,b\n" + b"x" * 100_000)
    large = {"file": (io.BytesIO(bytes(200_000)), "a.csv")}
    answer = city.post("/imports/new/organisations", data=large)
    assert (answer.status_code, 'id="file-error"' in answer.text, 'type="file"' in answer.text) == (413, True, True)
    for browser, kind in ((city, "nothing"), (app.test_client(), "organisations")):
        large = {"file": (io.BytesIO(bytes(200_000)), "a.csv")}
        answer = browser.post(f"/imports/new/{kind}", data=large)
        assert (answer.status_code, 'type="file"' in answer.text) in {
            (413, False),
            (404, False),
            (302, False),
            (401, False),
        }
    assert db.scalars(select(ImportRun.id)).all() == []


def test_a_workbook_is_not_parsed_again_to_be_looked_at(city: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    page = send(city, city.get("/imports/template/organisations.xlsx").data, name="单位.xlsx")
    with monkeypatch.context() as gone:
        gone.setattr(bounded_process, "run", None)
        assert "东华门街道红十字会" in text(city, page)
    lines = "".join(f"第{number}小学,东城区,学校\n" for number in range(1, 40))
    page = send(city, f"全市单位\n\n名称,区,领域\n{lines}".encode())
    shown = text(city, page)
    assert ("第5小学" in shown, "第6小学" in shown, "全市单位" in shown) == (True, False, False)


def test_long_numbers_are_hidden_in_the_preview(city: FlaskClient) -> None:
    page = send(city, "姓名,手机,证件号码\n王一,13800138000,110101199003077731\n".encode(), "past")
    shown = text(city, page)
    assert "138****000" in shown
    assert "13800138000" not in shown
    assert "110101199003077731" not in shown


@pytest.mark.usefixtures("parsed_here")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_has_a_page_and_templates_that_are_read_back(city: FlaskClient, language: str) -> None:
    city.get(f"/imports/?lang={language}")
    for kind in kinds.all_kinds():
        assert kind.name in text(city, "/imports/new")
        assert text(city, f"/imports/new/{kind.name}")
        for form in ("csv", "xlsx"):
            template = city.get(f"/imports/template/{kind.name}.{form}").data
            page = send(city, template, kind.name, f"a.{form}")
            data = {f"column-{column.name}": at for at, column in enumerate(kind.columns)}
            assert city.post(f"{page}/columns", data=data).status_code == 302
    tasks.sweep_imports()


def test_a_district_has_its_own_imports_and_not_the_citys(city: FlaskClient, make: Make, sign_in: SignIn) -> None:
    page = send(city, LIST.encode())
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert district.get(page).status_code == 404
    assert district.get(f"{page}/rows-to-correct.csv").status_code == 404
    offered = text(district, "/imports/new")
    for kind in kinds.all_kinds():
        assert (f'href="/imports/new/{kind.name}"' in offered) is not kind.city_only
        assert district.get(f"/imports/new/{kind.name}").status_code == (404 if kind.city_only else 200)
    own = send(district, LIST.encode())
    assert text(city, own)
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=make.organisation().id))
    assert coordinator.get("/imports/").status_code == 403


@pytest.mark.parametrize(("language", "title"), [("zh", "名称"), ("en", "Name")])
def test_reasons_name_fields_in_the_readers_language(city: FlaskClient, language: str, title: str) -> None:
    page = send(city, "单位,所在区,类别\n,东城区,社区\n".encode())
    check(city, page)
    tasks.sweep_imports()
    assert f"“{title}”" in text(city, f"{page}?lang={language}")
    assert f"“{title}”" in city.get(f"{page}/rows-to-correct.csv").data.decode("utf-8-sig")
