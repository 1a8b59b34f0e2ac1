"""The list by expiry: who sees whom, the groups, the reminders, and the files."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import reminders, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from courses.models.offerings import Offering
from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from lms.organisations.models import Organisation
from tests.certificates.conftest import closed_offering
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
Issue = Callable[..., Certificate]


@pytest.fixture
def host(make: Make) -> Organisation:
    return make.organisation(name_zh="朝阳小学", name_en="Chaoyang School")


@pytest.fixture
def offering(make: Make, host: Organisation) -> Offering:
    return closed_offering(make, organisation=host)


@pytest.fixture
def coordinator(make: Make, sign_in: SignIn, host: Organisation) -> FlaskClient:
    return sign_in(make.user(Role.COORDINATOR, organisation_id=host.id))


@pytest.fixture
def ending(db: Session, issue: Issue, offering: Offering, branch: Branch) -> Callable[[str, int | None], Certificate]:
    """A certificate of the host's that ends in so many days."""

    def made(name: str, days: int | None, of: Offering | None = None) -> Certificate:
        certificate = issue(name, offering=of or offering)
        today = clock.today(branch.zone)
        certificate.issued_on = today - timedelta(days=2000)
        certificate.valid_until = today + timedelta(days=days) if days is not None else None
        db.commit()
        return certificate

    return made


EDGES = {"expired": (-1,), "30": (0, 30), "90": (31, 90), "later": (91,)}


def test_each_group_holds_its_days(coordinator: FlaskClient, ending: Callable[..., Certificate]) -> None:
    for group, days in EDGES.items():
        for day in days:
            ending(f"人{group}之{day}", day)
    ending("人不过期", None)
    for group, days in EDGES.items():
        text = coordinator.get(f"/certificates/expiring/?ends={group}").text
        for other, others in EDGES.items():
            for day in others:
                assert (f"人{other}之{day}<" in text) is (other == group)
        assert "人不过期" not in text
        assert f"({len(days)})" in text


def test_the_revoked_are_not_listed(db: Session, coordinator: FlaskClient, ending: Callable[..., Certificate]) -> None:
    revocation.revoke(db, ending("张三丰", 3), "mistake")
    db.commit()
    assert "张三丰" not in coordinator.get("/certificates/expiring/").text


def test_a_coordinator_sees_the_own_people_and_no_others(
    make: Make, coordinator: FlaskClient, ending: Callable[..., Certificate]
) -> None:
    ending("本单位", 10)
    ending("外单位", 10, closed_offering(make))
    for address in ("/certificates/expiring/", "/certificates/expiring/export/csv"):
        text = coordinator.get(address).get_data(as_text=True)
        assert "本单位" in text
        assert "外单位" not in text


@pytest.mark.parametrize(("district", "sees"), [(1, True), (2, False)])
def test_a_district_sees_its_own(
    make: Make, sign_in: SignIn, ending: Callable[..., Certificate], district: int, sees: bool
) -> None:
    ending("本单位", 10)
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=district))
    assert ("本单位" in browser.get("/certificates/expiring/").text) is sees


def test_the_filters_narrow_the_list_and_its_numbers(
    make: Make, sign_in: SignIn, ending: Callable[..., Certificate]
) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    ending("张三丰", 10)
    ending("李四光", 10, closed_offering(make, make.course("INSTRUCTOR-48")))
    for asked, found in (
        ({"holder": "三丰"}, ["张三丰"]),
        ({"host": "朝阳小学"}, ["张三丰"]),
        ({"host": "chaoyang"}, ["张三丰"]),
        ({"programme": "INSTRUCTOR"}, ["李四光"]),
        ({"holder": "%"}, []),
        ({"holder": "王"}, []),
    ):
        text = browser.post("/certificates/expiring/", data=asked, follow_redirects=True).text
        assert [name for name in ("张三丰", "李四光") if name in text] == found, asked
        assert f'30 天内到期 <span class="text-nowrap ms-1">({len(found)})' in text


def test_phones_are_masked_and_reminders_shown(
    db: Session, make: Make, coordinator: FlaskClient, ending: Callable[..., Certificate], branch: Branch
) -> None:
    certificate = ending("张三丰", 20)
    certificate.enrolment.email = "zhang@example.org"
    phone = certificate.enrolment.trainee.phone or ""
    assert "尚未提醒" in coordinator.get("/certificates/expiring/").text
    reminders.remind(db, (90, 30, 7), zone=branch.zone)
    db.commit()
    text = coordinator.get("/certificates/expiring/").text
    assert "提前 30 天：" in text
    assert phone.removeprefix("+86") not in text
    assert phone[-4:] in text
    refresher = make.offering(
        course=make.new_course(refresher=True, certificate_type=certificate.certificate_type),
        starts=[clock.now() + timedelta(days=5)],
    )
    db.commit()
    assert f"/training/{refresher.id}" in coordinator.get("/certificates/expiring/").text


def test_who_has_a_newer_one_is_marked(
    db: Session, make: Make, coordinator: FlaskClient, offering: Offering, ending: Callable[..., Certificate]
) -> None:
    old = ending("张三丰", 10)
    new = ending("张三丰", 900, closed_offering(make, offering.course))
    assert "已有新证书" not in coordinator.get("/certificates/expiring/").text
    new.enrolment.trainee_id = old.enrolment.trainee_id
    db.commit()
    assert "已有新证书" in coordinator.get("/certificates/expiring/").text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_files_hold_every_row_and_leave_a_trace(
    db: Session, coordinator: FlaskClient, ending: Callable[..., Certificate], form: str
) -> None:
    numbers = [ending(f"人{n}", n).number for n in range(3)]
    page = coordinator.post("/certificates/expiring/", data={"ends": "30", "holder": "人"}, follow_redirects=True).text
    [address] = re.findall(f'href="(/certificates/expiring/export/{form}[^"]*)"', page)
    answer = coordinator.get(unescape(address))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f"{form}")
    if form == "csv":
        text = answer.get_data().decode("utf-8-sig")
        found = [line.split(",")[2] for line in text.splitlines()[6:] if line.startswith("人")]
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
        found = [str(row[2]) for row in sheet if str(row[0]).startswith("人")]
        assert sheet[-1][5] == date.fromisoformat(str(sheet[-1][5]))
    assert found == numbers
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "certificate.export")).one()
    assert entry.after == {"format": form, "rows": 3, "filters": {"holder": "*", "ends": "30"}}


def test_pages_are_turned(
    coordinator: FlaskClient, ending: Callable[..., Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certificates.expiring.PAGE_SIZE", 2)
    for n in range(3):
        ending(f"人{n}号", n)
    first = coordinator.get("/certificates/expiring/").text
    last = coordinator.get("/certificates/expiring/?page=9").text
    assert ("人0号" in first, "人2号" in first) == (True, False)
    assert ("人0号" in last, "人2号" in last) == (False, True)


def test_the_list_is_within_its_query_budget(
    coordinator: FlaskClient, ending: Callable[..., Certificate], statements: list[str]
) -> None:
    for n in range(4):
        ending(f"人{n}", n)
    statements.clear()
    assert coordinator.get("/certificates/expiring/").status_code == 200
    assert len(statements) <= 8, statements
