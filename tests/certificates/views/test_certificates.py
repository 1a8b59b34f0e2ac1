"""Certificates for those who run the training: who sees which, the PDF, revoking, and how far an offering is."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from courses.counting import person_time
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.accounts.models import User
from lms.config import Settings
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
Issue = Callable[..., Certificate]


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    """A certificate of district 1."""
    return issue("张三丰")


@pytest.fixture
def district(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))


@pytest.fixture
def elsewhere(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))


def test_another_district_finds_nothing(elsewhere: FlaskClient, certificate: Certificate) -> None:
    assert certificate.number not in elsewhere.get("/certificates/").text
    for address in ("", ".pdf"):
        assert elsewhere.get(f"/certificates/{certificate.id}{address}").status_code == 404
    assert elsewhere.get(f"/certificates/offering/{certificate.enrolment.offering_id}").status_code == 404
    answer = elsewhere.post(f"/certificates/{certificate.id}/revoke", data={"reason": "发错人"})
    assert answer.status_code == 404
    assert certificate.revoked_at is None


def test_only_administrators_revoke(make: Make, sign_in: SignIn, db: Session, certificate: Certificate) -> None:
    instructor = certificate.enrolment.offering.lead_instructor
    assert instructor is not None
    user = make.user(Role.INSTRUCTOR)
    instructor.user_id = user.id
    db.commit()
    teacher = sign_in(user)
    assert certificate.number in teacher.get(f"/certificates/{certificate.id}").text
    assert teacher.post(f"/certificates/{certificate.id}/revoke", data={"reason": "发错人"}).status_code == 403
    auditor = sign_in(make.user(Role.AUDITOR))
    assert certificate.number in auditor.get("/certificates/").text
    assert "/revoke" not in auditor.get(f"/certificates/{certificate.id}").text
    assert auditor.post(f"/certificates/{certificate.id}/revoke", data={"reason": "发错人"}).status_code == 403


def test_revoking_needs_a_reason_and_happens_once(district: FlaskClient, db: Session, certificate: Certificate) -> None:
    address = f"/certificates/{certificate.id}/revoke"
    assert district.post(address, data={"reason": " "}).status_code == 422
    assert district.post(address, data={"reason": "发错人"}).status_code == 302
    again = district.post(address, data={"reason": "另一个原因"})
    assert again.status_code == 409
    assert "已被撤销" in again.text
    db.refresh(certificate)
    assert certificate.revoke_reason == "发错人"
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "certificate.revoke")).one()
    assert (entry.subject, entry.reason) == (f"certificate:{certificate.id}", "发错人")
    assert entry.user_id is not None
    page = district.get(f"/certificates/{certificate.id}").text
    assert "发错人" in page
    assert "已撤销" in page
    assert district.get(f"/certificates/{certificate.id}.pdf").status_code == 409


def test_the_list_is_filtered(district: FlaskClient, make: Make, issue: Issue, certificate: Certificate) -> None:
    other = issue("李四", offering=closed_offering(make, make.course("INSTRUCTOR-48")))

    def listed(**filters: str) -> set[int]:
        page = district.post("/certificates/", data=filters, follow_redirects=True)
        assert page.status_code == 200
        return {row.id for row in (certificate, other) if f'/certificates/{row.id}"' in page.text}

    today = certificate.issued_on
    assert listed() == {certificate.id, other.id}
    assert listed(number=certificate.number.lower().replace("-", " ")) == {certificate.id}
    assert listed(number="%") == {certificate.id, other.id}
    assert listed(holder="张三") == {certificate.id}
    assert listed(holder="%") == set()
    assert listed(programme="INSTRUCTOR") == {other.id}
    assert listed(state="valid") == {certificate.id, other.id}
    for state in ("expired", "revoked", "superseded", "not_yet_valid"):
        assert listed(state=state) == set()
    assert listed(since=today.isoformat(), until=today.isoformat()) == {certificate.id, other.id}
    assert listed(until=(today - timedelta(days=1)).isoformat()) == set()
    assert listed(state="nonsense") == {certificate.id, other.id}


def test_the_indicators_lead_to_the_valid_certificates_of_each_district(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], issue: Issue, certificate: Certificate
) -> None:
    offering = certificate.enrolment.offering
    person_time.record_closing(db, offering, ZoneInfo("Asia/Shanghai"))
    db.commit()
    district, year = offering.district_id, offering.counted_on.year if offering.counted_on else 0
    query = f"since={year}-01-01&until={year}-12-31&lang=en"
    own = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=district)
    for browser in (sign_in(make.user(Role.CITY_ADMINISTRATOR)), sign_in(own)):
        page = unescape(browser.get(f"/reports/indicators/?{query}").text)
        found = re.findall(r'href="(/certificates/\?[^"]*)">(\d+)<', page)
        assert [shown for _down, shown in found] == ["1", "1"]  # the district's row, and the total
        for down, shown in found:
            listing = browser.get(f"{down}&lang=en").text
            assert f"{shown} certificate" in listing
            [back] = re.findall(r'<nav class="report-up"[^>]*><a href="([^"]*)"', listing)
            assert dict(parse_qsl(urlsplit(unescape(back)).query)) == dict(parse_qsl(query))
            assert urlsplit(back).path == "/reports/indicators/"


def test_the_city_asks_for_one_district(
    make: Make, sign_in: Callable[[User], FlaskClient], issue: Issue, certificate: Certificate
) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    mine = certificate.enrolment.offering.district_id
    for district in (mine, mine % 16 + 1):
        page = city.get(f"/certificates/?state=valid&district={district}")
        assert (f'/certificates/{certificate.id}"' in page.text) == (district == mine)


def test_staff_and_holders_download_the_same_pdf_whose_code_leads_to_the_page(
    client: FlaskClient, district: FlaskClient, certificate: Certificate, settings: Settings
) -> None:
    answer = district.get(f"/certificates/{certificate.id}.pdf")
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{certificate.number}.pdf"'
    assert client.get(f"/tickets/{certificate.enrolment.ticket}/certificate.pdf").data == answer.data
    with pypdfium2.PdfDocument(answer.data) as pdf:
        picture = pdf[0].render(scale=150 / 72).to_pil()
    found = [barcode.text for barcode in zxingcpp.read_barcodes(picture)]
    assert found == [f"{settings.public_url}/v/{digits_of(certificate.payload)}"]


def test_a_ticket_without_a_certificate_has_no_pdf(client: FlaskClient, make: Make, db: Session) -> None:
    enrolment = make.enrolment(make.offering())
    db.commit()
    assert client.get(f"/tickets/{enrolment.ticket}/certificate.pdf").status_code == 404
    assert client.get("/tickets/nonsense/certificate.pdf").status_code == 404


def test_an_offerings_page_says_who_waits_and_who_gets_none_and_why(
    district: FlaskClient, make: Make, db: Session, branch: Branch, issue: Issue
) -> None:
    offering = closed_offering(make)
    issue("张三丰", offering=offering)
    owe(make, offering, "李四")
    make.enrolment(
        offering, make.trainee("王五"), EnrolmentState.FAILED, shortfalls=["theory_failed", "skills_missing"]
    )
    db.commit()
    page = district.get(f"/certificates/offering/{offering.id}").text
    assert "已颁发 1 / 2 张证书" in page
    assert 'data-refresh="3"' in page
    assert "等待签发服务" not in page
    assert "理论成绩未达合格线 · 技能尚未全部考核" in page
    offering.closed_at = clock.now() - timedelta(minutes=5)
    db.commit()
    assert "等待签发服务" in district.get(f"/certificates/offering/{offering.id}").text


def test_an_offering_that_is_not_closed_says_so(district: FlaskClient, make: Make, db: Session) -> None:
    offering = make.offering(state=OfferingState.PUBLISHED)
    db.commit()
    assert "结班后" in district.get(f"/certificates/offering/{offering.id}").text
