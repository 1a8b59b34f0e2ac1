"""The rows beneath a report as files: the file as a whole or not at all, for its owner alone, for a week."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from python_calamine import CalamineWorkbook
from sqlalchemy import Connection, Text, cast, func, literal, select, update
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.exports import Export, ExportChunk, ExportProgress, ExportState
from courses.models.offerings import CourseSession
from courses.models.trainees import Trainee
from courses.reports.exports import exports
from lms.accounts.models import User
from lms.core import clock, copying
from lms.core.audit import AuditEntry
from lms.core.exports import escape_formula
from lms.core.scope import Role
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
YEAR = "since=2025-01-01&until=2025-12-31&lang=zh"
NEW = f"/reports/exports/new/participations?{YEAR}"
PAIR = (
    Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),)),
    Person(1, EnrolmentState.FAILED, (Presence(0, 0, None),)),
)


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8))
def test_the_database_guards_texts_as_this_process_does(connection: Connection, text: str) -> None:
    for one in (text, f"={text}", f" {text}", f"{text}@", f"\u3000＋{text}", f"\t{text}"):
        assert connection.scalar(select(copying.escape_formula(cast(literal(one), Text)))) == escape_formula(one)


@pytest.fixture
def held(db: Session, make: Make) -> None:
    """Two who came to a course in district 2; one has a phone, the other a name that is a formula."""
    World(db).close(Plan(date(2025, 6, 1), (0,), PAIR, False, 2))
    first, second = db.scalars(select(Trainee).join(Enrolment, Enrolment.trainee_id == Trainee.id).order_by(Trainee.id))
    first.name, first.phone = "张三", "+8613812345678"
    second.name, second.phone = "=1+1", None
    for enrolment in db.scalars(select(Enrolment)):
        enrolment.sessions_attended, enrolment.minutes_attended = 1, 180
    db.commit()


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.usefixtures("held")
def test_few_rows_come_at_once_with_the_personal_data_that_was_chosen(make: Make, sign_in: SignIn) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    plain = rows_of(city.post(NEW, data={"form": "csv", "personal": "none"}).data)
    masked = rows_of(city.post(NEW, data={"form": "csv", "personal": "masked"}).data)
    full = rows_of(city.post(NEW, data={"form": "csv", "personal": "full"}).data)
    assert plain[-1][-1] == ""
    assert "张三" not in str(plain)
    assert {tuple(row[-2:]) for row in masked[-2:]} == {("张三", "138****5678"), ("'=1+1", "")}
    assert ["张三", "13812345678"] in [row[-2:] for row in full]

    answer = city.post(NEW, data={"form": "xlsx", "personal": "masked"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert {tuple(row[-2:]) for row in rows[-2:]} == {("张三", "138****5678"), ("=1+1", "")}
    table = parquet.read_table(io.BytesIO(city.post(NEW, data={"form": "parquet", "personal": "full"}).data))
    assert table.column("hours").to_pylist() == [3.0, 3.0]
    assert set(table.column("phone").to_pylist()) == {"13812345678", None}


@pytest.mark.usefixtures("held")
def test_users_who_may_not_have_names_get_none(make: Make, sign_in: SignIn) -> None:
    auditor = sign_in(make.user(Role.AUDITOR))
    assert 'name="personal"' not in auditor.get(NEW).text
    assert "张三" not in auditor.post(NEW, data={"form": "csv", "personal": "full"}).text
    elsewhere = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert "张三" not in elsewhere.post(NEW, data={"form": "csv", "personal": "full"}).text


@pytest.mark.usefixtures("held")
def test_people_of_a_number_an_offering_and_a_session_come_with_what_was_chosen_of_them(
    db: Session, make: Make, sign_in: SignIn
) -> None:
    city, auditor = sign_in(make.user(Role.CITY_ADMINISTRATOR)), sign_in(make.user(Role.AUDITOR))
    elsewhere = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    meeting = db.scalars(select(CourseSession)).one()
    people, pages = f"/reports/people?{YEAR}", f"/reports/offerings/{meeting.offering_id}"
    lists = {
        people: [["1", "3.00"], ["1", "3.00"]],
        f"{pages}/people?{YEAR}": [["不合格", "1", "3.00", ""], ["合格", "1", "3.00", ""]],
        f"{pages}/sessions/{meeting.id}/people?{YEAR}": [["2025-06-01 09:00", "", "3.00"]] * 2,
    }
    for page, expected in lists.items():
        [address] = re.findall(r'href="(/reports/exports/new/[^"]*)"', city.get(page).text)
        new = unescape(address) + "&lang=zh"
        assert "2 行" in city.get(new).text
        assert f'href="{page.split("?")[0]}?' in city.get(new).text  # and back
        plain = rows_of(city.post(new, data={"form": "csv", "personal": "none"}).data)
        assert [row[1:] for row in plain[-2:]] == expected
        full = rows_of(city.post(new, data={"form": "csv", "personal": "full"}).data)
        assert {tuple(row[-2:]) for row in full[-2:]} == {("张三", "13812345678"), ("'=1+1", "")}
        assert "138****5678" in str(rows_of(city.post(new, data={"form": "csv", "personal": "masked"}).data))
        table = parquet.read_table(io.BytesIO(city.post(new, data={"form": "parquet", "personal": "none"}).data))
        assert table.column("hours").to_pylist() == [3.0, 3.0]
        assert "张三" not in auditor.post(new, data={"form": "csv", "personal": "full"}).text
        other = elsewhere.post(new, data={"form": "csv", "personal": "full"})
        assert other.status_code == (200 if page == people else 404)
        assert "张三" not in other.text
    for kind, name in (("enrolments", "offering"), ("attendances", "session")):
        for number in ("", "0", "x", "9" * 19):
            assert city.get(f"/reports/exports/new/{kind}?{name}={number}").status_code == 404
    notes = db.scalars(select(AuditEntry).where(AuditEntry.subject == "report:attendances")).all()
    assert {note.after["filters"]["session"] for note in notes if note.after} == {str(meeting.id)}
    assert [note.after.get("personal") for note in notes if note.after] == [None, "full", "masked", None, None]


@pytest.mark.usefixtures("held", "background")
@pytest.mark.parametrize("kind", ["people", "enrolments", "attendances"])
def test_people_are_made_by_a_worker_too(
    db: Session, make: Make, sign_in: SignIn, work: Callable[[], bool], kind: str
) -> None:
    meeting = db.scalars(select(CourseSession)).one()
    of = {"people": "", "enrolments": f"&offering={meeting.offering_id}", "attendances": f"&session={meeting.id}"}
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    page = district.post(
        f"/reports/exports/new/{kind}?{YEAR}{of[kind]}", data={"form": "csv", "personal": "masked"}
    ).headers["Location"]
    assert work()
    answer = district.get(f"{page}/file")
    assert kind in answer.headers["Content-Disposition"]
    assert {tuple(row[-2:]) for row in rows_of(answer.data)[-2:]} == {("张三", "138****5678"), ("'=1+1", "")}
    assert district.get(page).status_code == 200
    assert page in district.get("/reports/exports/").text


@pytest.mark.usefixtures("held", "background")
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_many_rows_are_made_by_a_worker_for_the_owner_alone(
    db: Session, make: Make, sign_in: SignIn, work: Callable[[], bool], form: str
) -> None:
    city, other = sign_in(make.user(Role.CITY_ADMINISTRATOR)), sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = city.post(f"{NEW}&district=2", data={"form": form, "personal": "masked"}).headers["Location"]
    second = city.post(NEW, data={"form": form, "personal": "masked"}).headers["Location"]
    assert "data-refresh" in city.get(page).text
    assert "西城区" in city.get(page).text
    assert "一分钟内开始" in city.get(page).text
    assert "前面还有 1 个导出" in city.get(second).text
    assert "data-refresh" in city.get("/reports/exports/").text
    assert city.post(f"{second}/delete").status_code == 302
    assert city.get(f"{page}/file").status_code == 302
    assert work()
    assert not work()
    answer = city.get(f"{page}/file")
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data) > 100
    if form == "csv":
        assert len([row for row in rows_of(answer.data) if row and row[-1] == "138****5678"]) == 1
    for address in (page, f"{page}/file"):
        assert other.get(address).status_code == 404
    assert page in city.get("/reports/exports/").text
    assert page not in other.get("/reports/exports/").text
    with clock.at(clock.now() + timedelta(days=8)):
        assert exports.remove_expired(db) == 1
    assert db.scalar(select(func.count()).select_from(ExportChunk)) == 0


@pytest.mark.usefixtures("held", "background")
def test_a_broken_run_leaves_nothing_and_the_third_is_the_last(
    app: Flask, db: Session, connection: Connection, make: Make, sign_in: SignIn
) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = city.post(NEW, data={"form": "csv", "personal": "none"}).headers["Location"]

    @contextmanager
    def broken() -> Iterator[Connection]:
        yield connection
        raise ConnectionError

    zone = app.config["SETTINGS"].zone
    for _attempt in range(exports.MAX_ATTEMPTS):
        with pytest.raises(ConnectionError), db.begin_nested():
            exports.make(db, app.extensions["sessions"], broken, zone)
        assert db.scalar(select(func.count()).select_from(ExportChunk)) == 0
    # Here all is one transaction, so the count of attempts was rolled back with them.
    db.execute(update(ExportProgress).values(attempts=exports.MAX_ATTEMPTS))
    assert exports.make(db, app.extensions["sessions"], broken, zone)
    db.commit()
    assert db.scalar(select(Export.state)) is ExportState.FAILED
    assert "data-refresh" not in city.get(page).text
    assert city.post(f"{page}/delete").status_code == 302
    assert city.get(page).status_code == 404
