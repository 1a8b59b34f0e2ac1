"""Export of the list of certificates: its rows, the personal data in it, and an export that a worker makes later."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from pyarrow import parquet
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import revocation
from certificates.models import Certificate
from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.courses.reports.exports.test_exports import rows_of
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


Issue = Callable[..., Certificate]


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    """A certificate of district 1."""
    return issue("张三丰")


@pytest.fixture
def elsewhere(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))


def test_the_list_comes_as_a_file_with_what_was_chosen_of_the_holders(
    db: Session, make: Make, sign_in: SignIn, certificate: Certificate, issue: Issue
) -> None:
    """The file has the filtered rows in the reader's language; the audit trail does not record the name that was
    searched.
    """
    revoked = issue("李四")
    revocation.revoke(db, revoked, "发错人")
    certificate.enrolment.trainee.phone = "+8613812345678"
    db.commit()
    city, auditor = sign_in(make.user(Role.CITY_ADMINISTRATOR)), sign_in(make.user(Role.AUDITOR))
    [address] = re.findall(r'href="(/certificates/export[^"]*)"', city.get("/certificates/?state=valid&lang=zh").text)
    new = unescape(address)
    assert "1 行" in city.get(new).text
    assert "/certificates/?state=valid" in unescape(city.get(new).text)
    plain = rows_of(city.post(new, data={"form": "csv", "personal": "none"}).data)
    day, until = (
        certificate.issued_on.isoformat(),
        certificate.valid_until.isoformat() if certificate.valid_until else "",
    )
    assert plain[-1][:4] == [certificate.number, "有效", day, until]
    assert "张三丰" not in str(plain)
    full = rows_of(city.post(new, data={"form": "csv", "personal": "full"}).data)
    assert full[-1][-2:] == ["张三丰", "13812345678"]
    table = parquet.read_table(io.BytesIO(city.post("/certificates/export", data={"form": "parquet"}).data))
    assert table.column("state").to_pylist() == ["revoked", "valid"]
    assert table.column("issued_on").to_pylist() == [certificate.issued_on] * 2
    assert "张三丰" not in auditor.post(new, data={"form": "csv", "personal": "full"}).text
    page = city.post("/certificates/", data={"holder": "李四"}, follow_redirects=True).text
    [address] = re.findall(r'href="(/certificates/export[^"]*)"', page)
    matching = rows_of(city.post(unescape(address), data={"form": "csv", "personal": "masked"}).data)
    assert [row[0] for row in matching if row and row[0].startswith("BJ")] == [revoked.number]
    notes = db.scalars(select(AuditEntry).where(AuditEntry.subject == "report:certificates")).all()
    assert [note.after["filters"].get("holder") for note in notes if note.after] == [None, None, None, None, "*"]
    assert [note.after.get("personal") for note in notes if note.after] == [None, "full", None, None, "masked"]


def test_who_may_see_certificates_and_no_reports_takes_no_file_and_no_district_anothers(
    elsewhere: FlaskClient, make: Make, sign_in: SignIn, certificate: Certificate
) -> None:
    answer = elsewhere.post("/certificates/export", data={"form": "csv", "personal": "full"})
    assert certificate.number not in answer.text
    teacher = sign_in(make.user(Role.INSTRUCTOR))
    assert "/certificates/export" not in teacher.get("/certificates/").text
    assert teacher.get("/certificates/export").status_code == 403


@pytest.mark.usefixtures("background")
def test_many_certificates_are_made_by_a_worker_as_they_stood_when_they_were_asked_for(
    make: Make, sign_in: SignIn, work: Callable[[], bool], certificate: Certificate, issue: Issue
) -> None:
    issue("李四")
    own = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=certificate.enrolment.offering.district_id))
    data = {"form": "csv", "personal": "masked"}
    page = own.post("/certificates/export?state=valid&lang=zh", data=data).headers["Location"]
    assert clock.today(ZoneInfo("Asia/Shanghai")).isoformat() in own.get(page).text
    assert all(
        "<dd>有效</dd>" in own.get(where).text for where in (page, "/reports/exports/")
    )  # what tells it from others
    with clock.at(clock.now() + timedelta(days=366 * 10)):  # the worker comes late: they have expired
        assert work()
    answer = own.get(f"{page}/file")
    assert "certificates-" in answer.headers["Content-Disposition"]
    rows = rows_of(answer.data)[-2:]
    assert {(row[0], row[1], row[-2]) for row in rows} >= {(certificate.number, "有效", "张三丰")}
    assert len({row[0] for row in rows}) == len(rows) == len({row[-2] for row in rows})
