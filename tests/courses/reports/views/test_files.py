"""Every report and every list beneath one as a file: what the page shows, in each format, within one's reach, and in the audit."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from pyarrow import parquet
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import opening_balances, person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from courses.models.opening_balances import OpeningBalance
from lms.accounts.models import User
from lms.core import audit_labels, clock
from lms.core.audit import AuditEntry
from lms.core.messages.models import Message
from lms.core.messages.owing import Content
from lms.core.scope import Role
from tests.courses.reports.views.test_enrolment import PAIR, text_of
from tests.courses.worlds import BEIJING, Plan, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
PERIOD = f"since=2025-01-01&until={clock.today(BEIJING).isoformat()}"
PAGES = (
    "enrolment", "districts", "indicators/", "hours", "offerings", "waiting", "in-progress", "targets/2025",
    "population/2025", "quarters/", "opening-balances/",
)  # fmt: skip


@pytest.fixture
def held(db: Session, make: Make) -> list[Offering]:
    """In district 1 a course of a frozen quarter that was corrected, one that is open, and one with a queue; in 2 a talk."""
    world = World(db)
    offering = world.close(Plan(date(2025, 3, 1), (10,), PAIR, False, 1))
    world.close(Plan(date(2025, 5, 1), (300,), (), False, 2, "RESCUE"))
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    world.fill(offering, Plan(date(2025, 3, 1), (30,), PAIR, False, 1))
    person_time.record_correction(db, offering, "补交签到表", BEIJING)
    for enrolment in db.scalars(select(Enrolment)):
        enrolment.minutes_attended = 180
    organisation = make.organisation(1, name_zh="=1+1")
    open_ = make.offering(organisation=organisation, starts=[clock.now() - timedelta(days=1)])
    open_.sessions[0].headcount = 7
    full = make.offering(organisation=organisation, starts=[clock.now() + timedelta(days=3)])
    make.enrolment(full, make.trainee("候补甲"), state=EnrolmentState.WAITLISTED)
    db.commit()
    return [offering, open_, full]


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def before_the_system(db: Session) -> int:
    """A source of totals of one month; its number."""
    source = opening_balances.add_source(
        db, title="2012年年报", file_name="a.csv", media_type="text/csv", content=b"", rows=1, person_times=12_000
    )
    month = date(2012, 5, 1)
    db.add(
        OpeningBalance(
            source_id=source.id,
            month=month,
            district_id=6,
            programme_code="RESCUE",
            person_times=12_000,
            certificates=0,
        )
    )
    db.commit()
    return source.id


def rows_of(browser: FlaskClient, address: str) -> list[list[str]]:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def files(browser: FlaskClient, page: str) -> list[str]:
    """The addresses of the files that a page offers."""
    found = re.findall(r'href="(/reports/[^"]*/export/[^"]*)"', text_of(browser, f"/reports/{page}"))
    return [unescape(address) for address in found]


def test_each_page_offers_its_table_in_each_format_and_each_file_is_in_the_audit(
    db: Session, city: FlaskClient, held: list[Offering]
) -> None:
    source = f"opening-balances/{before_the_system(db)}"
    beneath = (f"offerings/{held[0].id}/sessions", f"hours/{held[0].sessions[0].instructors[0].instructor_id}", source)
    taken = []
    for page in (*PAGES, *beneath):
        found = files(city, f"{page}?{PERIOD}&lang=zh")
        assert len(found) in {4, 8}, page
        for address in found:
            answer = city.get(address)
            assert answer.status_code == 200, address
            if "/xlsx" in address:
                rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
                taken.append((address, len(rows)))
            elif "/parquet" in address:
                table = parquet.read_table(io.BytesIO(answer.data))
                taken.append((address, table.num_rows))
            else:
                assert answer.data.startswith(b"\xef\xbb\xbf")
                taken.append((address, len(answer.data.splitlines())))
    assert all(rows for _address, rows in taken)
    entries = db.scalars(select(AuditEntry).where(AuditEntry.action == "report.export")).all()
    assert len(entries) == len(taken)
    subjects = {entry.subject for entry in entries}
    assert {subject.partition(":")[2] for subject in subjects} <= audit_labels.registered().reports.keys()
    assert subjects == {
        f"report:{name}"
        for name in (
            "enrolment", "adjustments", "districts", "indicators", "hours", "hours_sessions", "offerings", "waiting",
            "in_progress", "targets", "population", "quarters", "opening_balances", "opening_balance",
            "offering_sessions", "offering_lines",
        )
    }  # fmt: skip
    assert {entry.after["format"] for entry in entries if entry.after} == {"csv", "xlsx", "parquet"}


def test_the_lists_hold_what_their_pages_show(city: FlaskClient, held: list[Offering]) -> None:
    offering, open_, full = held
    waiting = rows_of(city, f"/reports/waiting/export/csv?{PERIOD}&lang=zh")
    assert waiting[-2][0] == str(full.id)
    assert waiting[-2][2] == "'=1+1"
    assert waiting[-1] == ["合计", "", "", "", "", "1", "", ""]
    in_progress = rows_of(city, f"/reports/in-progress/export/csv?{PERIOD}&lang=zh")
    assert in_progress[-2][0] == str(open_.id)
    assert in_progress[-1][-3:] == ["0", "0", "7"]
    adjusted = rows_of(city, f"/reports/adjustments/export/csv?{PERIOD}&lang=zh")
    assert adjusted[-2][1:6] == [
        str(offering.id),
        offering.course.name_zh,
        offering.organisation.name_zh,
        "2025-03-01",
        "补交签到表",
    ]
    assert adjusted[-1][6] == "20"
    lines = rows_of(
        city, f"/reports/offerings/{offering.id}/lines/export/csv?since=2025-03-01&until=2025-03-31&lang=zh"
    )
    assert [row[3:5] for row in lines[-3:]] == [["是", "12"], ["否", "20"], ["", "12"]]
    meetings = rows_of(city, f"/reports/offerings/{offering.id}/sessions/export/csv?{PERIOD}&lang=zh")
    assert meetings[-2][1:4] == ["2025-03-01", "09:00", "12:00"]
    assert meetings[-1][5:8] == ["2", "30", "6.0"]
    instructor = offering.sessions[0].instructors[0].instructor_id
    taught = rows_of(city, f"/reports/hours/{instructor}/export/csv?{PERIOD}&lang=zh")
    assert taught[-2][:5] == [str(offering.id), str(offering.sessions[0].id), "2025-03-01", "09:00", "12:00"]
    assert taught[-1][-2:] == ["0.0", "3.0"]


def test_files_of_baselines_name_their_sources(db: Session, city: FlaskClient, held: list[Offering]) -> None:
    source = before_the_system(db)
    sources = rows_of(city, "/reports/opening-balances/export/csv?lang=zh")
    assert sources[-2][:6] == ["2012年年报", "2012-05", "2012-05", "1", "12000", "0"]
    assert sources[-1][3:6] == ["1", "12000", "0"]
    months = rows_of(city, f"/reports/opening-balances/{source}/export/csv?lang=zh")
    assert months[-2] == ["2012-05", "海淀区", "应急救护普及培训", "12000", "0"]
    city.post("/reports/population/2025", data={"people-1": "5000", "source": "年鉴"})
    people = rows_of(city, "/reports/population/2025/export/csv?lang=zh")
    assert ["东城区", "5000", "年鉴"] in people
    assert people[-1][1] == "5000"
    found = {row[0]: row for row in rows_of(city, "/reports/quarters/export/csv?lang=zh") if row}
    assert found["2025Q1"][1:5] == ["2025-01-01", "2025-03-31", "12", "已锁定"]
    assert found["2025Q2"][3:5] == ["300", "未锁定"]


def test_a_list_as_a_file_keeps_to_ones_own(
    make: Make, sign_in: SignIn, city: FlaskClient, held: list[Offering]
) -> None:
    city.post("/reports/targets/2025", data={"target-RESCUE-1": "1200", "target-RESCUE-2": "3400"})
    second = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    targets = rows_of(second, "/reports/targets/2025/export/csv?lang=zh")
    assert {row[0] for row in targets if len(row) == 6 and row[0] != "区"} == {"西城区", "合计"}
    assert ["全市合计", "312 / 4,600"] in targets
    for name in ("waiting", "in-progress", "adjustments"):
        rows = rows_of(second, f"/reports/{name}/export/csv?{PERIOD}&lang=zh")
        assert "补交签到表" not in str(rows)
        assert "=1+1" not in str(rows)
        assert second.get(f"/reports/{name}/export/csv?{PERIOD}&district=1").status_code in {404, 422}
    assert second.get(f"/reports/offerings/{held[0].id}/sessions/export/csv").status_code == 404
    assert second.get("/reports/opening-balances/export/csv").status_code == 403
    assert city.get("/reports/targets/1979/export/csv").status_code == 404
    assert city.get("/reports/offerings/9999999999999999999/lines/export/csv").status_code == 404


def test_the_audit_says_in_words_what_was_exported(city: FlaskClient, held: list[Offering]) -> None:
    assert city.get(f"/reports/adjustments/export/csv?{PERIOD}&grouping=district&key=1").status_code == 200
    new = f"/reports/exports/new/enrolments?offering={held[0].id}"
    assert city.post(new, data={"form": "csv", "personal": "masked"}).status_code == 200
    page = " ".join(re.sub(r"<[^>]+>", " ", text_of(city, "/audit/?action=report.export&lang=en")).split())
    assert "Report Adjustments of frozen quarters" in page
    assert "Rows District" in page
    assert "Only the row 1" in page
    assert "Report People of an offering, one row each" in page
    assert f"Filters Offering {held[0].id}" in page
    assert "Personal data Names, and phone numbers with the middle digits hidden" in page


def test_a_file_of_data_alone_holds_the_rows_below_one_heading(city: FlaskClient, held: list[Offering]) -> None:
    printed = rows_of(city, f"/reports/indicators/export/csv?{PERIOD}&grouping=district&lang=zh")
    data = rows_of(city, f"/reports/indicators/export/csv?{PERIOD}&grouping=district&lang=zh&plain=1")
    heading = printed.index(data[0])
    rate = data[0].index("合格率")
    assert [row[0] for row in data[1:]] == [row[0] for row in printed[heading + 1 : -1]]
    assert [row[rate] for row in data[1:] if row[rate]] == ["0.5"]
    assert [row[rate] for row in printed[heading + 1 :] if row[rate]] == ["50.0%", "50.0%"]
    offerings = rows_of(city, f"/reports/offerings/export/csv?{PERIOD}&lang=zh&plain=1")
    assert offerings[0][0] == "培训班编号"
    assert {row[0] for row in offerings[1:]} >= {str(held[0].id)}
    assert all(row[0].isdigit() for row in offerings[1:])


def test_a_report_too_long_for_a_pdf_leads_back_and_offers_its_files(
    city: FlaskClient, held: list[Offering], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held
    monkeypatch.setattr("courses.reports.pdf.MAX_ROWS", 1)
    address = f"/reports/enrolment.pdf?{PERIOD}&grouping=host&lang=en"
    answer = city.get(address)
    assert answer.status_code == 422
    links = [unescape(link) for link in re.findall(r'href="(/reports/enrolment[^"]*since[^"]*)"', answer.text)]
    links = [link for link in links if "enrolment.pdf" not in link]
    assert len(links) == 4
    assert all("grouping=host" in link and city.get(link).status_code == 200 for link in links)


def test_a_report_is_previewed_and_sent_with_its_files(
    db: Session, make: Make, sign_in: SignIn, held: list[Offering]
) -> None:
    assert held
    user = make.user(Role.CITY_ADMINISTRATOR)
    browser = sign_in(user)
    address = f"/reports/by-mail/send?{PERIOD}&grouping=district&lang=en"
    assert '<th scope="row">Dongcheng' in browser.get(address).text
    assert browser.post(address, data={}).status_code == 422
    if user.email:
        assert browser.post(address, data={"recipients": str(user.id), "pdf": "y", "xlsx": "y"}).status_code == 302
        [message] = db.scalars(select(Message).where(Message.purpose == "report_now"))
        content = Content.of(message)
        assert [file.name.rpartition(".")[2] for file in content.attachments] == ["pdf", "xlsx"]
        assert "<td" in content.html
