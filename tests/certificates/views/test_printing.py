"""Pages for printing many certificates: who may print which, both formats, and what is still owed."""

import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import documents, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from courses.models.offerings import Offering
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
Issue = Callable[..., Certificate]


@pytest.fixture
def offering(make: Make) -> Offering:
    return closed_offering(make)


@pytest.fixture
def three(issue: Issue, offering: Offering) -> list[Certificate]:
    return [issue(name, offering=offering) for name in ("张三丰", "李四", "王五")]


@pytest.fixture
def district(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))


def test_an_offerings_certificates_come_as_a_zip_and_as_one_pdf(
    district: FlaskClient, db: Session, offering: Offering, three: list[Certificate], branch: Branch
) -> None:
    revocation.revoke(db, three[1], "发错人")
    db.commit()
    chosen = {"offering": str(offering.id)}
    page = district.get("/certificates/printing/", query_string=chosen).text
    assert "下载 2 张证书" in page
    answer = district.get("/certificates/printing/certificates.zip", query_string=chosen)
    assert answer.content_type == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{three[0].number}.pdf", f"{three[2].number}.pdf"]
        assert archive.read(f"{three[0].number}.pdf") == documents.pdf(three[0], branch)
    answer = district.get("/certificates/printing/certificates.pdf", query_string=chosen)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="certificates.pdf"'
    with pypdfium2.PdfDocument(answer.data) as document:
        assert [
            three[n].number in document[place].get_textpage().get_text_range() for place, n in ((0, 0), (1, 2))
        ] == [
            True,
            True,
        ]
        assert len(document) == 2
    entries = db.scalars(
        select(AuditEntry).where(AuditEntry.action == "certificates.print").order_by(AuditEntry.id)
    ).all()
    assert [(entry.subject, entry.after) for entry in entries] == [
        (f"offering:{offering.id}", {"form": "zip", "certificates": 2}),
        (f"offering:{offering.id}", {"form": "pdf", "certificates": 2}),
    ]


def test_a_period_is_of_issue_days_and_says_what_is_still_owed(
    district: FlaskClient, make: Make, db: Session, offering: Offering, three: list[Certificate]
) -> None:
    owe(make, offering)
    db.commit()
    today = three[0].issued_on

    def shown(**days: str) -> str:
        return district.get("/certificates/printing/", query_string=days).text

    assert "下载 3 张证书" in shown()
    assert "已颁发 3 / 4 张证书" in shown()
    assert "下载 3 张证书" in shown(since=today.isoformat(), until=today.isoformat())
    before = (today - timedelta(days=1)).isoformat()
    assert "这里没有可打印的证书" in shown(since=before, until=before)
    assert shown(since="nonsense", until="2020-13-40")
    nothing = district.get("/certificates/printing/certificates.zip", query_string={"since": before, "until": before})
    assert nothing.status_code == 404


def test_pages_say_which_certificate_has_no_wallet_card_and_why(
    district: FlaskClient, db: Session, offering: Offering, three: list[Certificate], issue: Issue
) -> None:
    page = "/certificates/printing/"
    assert "张证书没有卡片" not in district.get(page, query_string={"offering": str(offering.id)}).text
    long = issue("王" * 60, offering=offering)
    long.facts = long.facts | {"course_zh": "应急救护普及培训与自救互救" * 12}
    db.commit()
    text = district.get(page, query_string={"offering": str(offering.id)}).text
    assert "1 张证书没有卡片" in text
    assert f"证书 {long.number} 的文字过长，卡片放不下，请打印 A4 证书。" in text
    own = district.get(f"/certificates/{long.id}").text
    assert "卡片放不下" in own
    assert f"/certificates/{long.id}/card.pdf" not in own
    assert f"/certificates/{three[0].id}/card.pdf" in district.get(f"/certificates/{three[0].id}").text
    assert district.get(f"/certificates/{long.id}/card.pdf").status_code == 409


def test_another_district_prints_nothing_of_it(
    make: Make, sign_in: SignIn, offering: Offering, three: list[Certificate]
) -> None:
    elsewhere = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    for name in ("", "certificates.zip", "certificates.pdf"):
        assert (
            elsewhere.get(f"/certificates/printing/{name}", query_string={"offering": offering.id}).status_code == 404
        )
    assert "这里没有可打印的证书" in elsewhere.get("/certificates/printing/").text
    assert elsewhere.get("/certificates/printing/certificates.zip").status_code == 404
