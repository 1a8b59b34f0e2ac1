"""Printing many: who may, which ones, both forms, and what is left out."""

import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from certificates import documents, printing, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.printing import PrintFormat
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


def test_what_cannot_be_printed_is_named_and_all_others_are_there(
    app: Flask, db: Session, three: list[Certificate], branch: Branch
) -> None:
    three[1].holder_name = "李\U0001f600四"
    db.commit()
    sessions: sessionmaker[Session] = app.extensions["sessions"]
    ids = [certificate.id for certificate in three]
    with zipfile.ZipFile(BytesIO(b"".join(printing.stream(sessions, ids, branch, PrintFormat.ZIP)))) as archive:
        assert archive.namelist() == [f"{three[0].number}.pdf", f"{three[2].number}.pdf", printing.NOT_PRINTED_FILE]
        assert three[1].number in archive.read(printing.NOT_PRINTED_FILE).decode()
    reader = PdfReader(BytesIO(b"".join(printing.stream(sessions, ids, branch, PrintFormat.PDF))))
    first, last, named = [page.extract_text() for page in reader.pages]
    assert three[0].number in first
    assert three[2].number in last
    assert three[1].number in named
    assert "U+1F600" in named
    assert three[0].number not in named


def test_a_file_of_nothing_but_what_cannot_be_printed_says_so(
    app: Flask, db: Session, three: list[Certificate], branch: Branch
) -> None:
    three[0].holder_name = "张\U0001f600"
    db.commit()
    pieces = printing.stream(app.extensions["sessions"], [three[0].id], branch, PrintFormat.PDF)
    [page] = PdfReader(BytesIO(b"".join(pieces))).pages
    assert three[0].number in page.extract_text()


def test_the_command_writes_the_same(app: Flask, offering: Offering, three: list[Certificate], tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    for name, begin in (("all.pdf", b"%PDF"), ("all.zip", b"PK")):
        file = tmp_path / name
        result = run(args=["certificates", "print", "--offering", str(offering.id), str(file)])
        assert result.exit_code == 0, result.output
        assert "3 certificates in" in result.output
        assert file.read_bytes().startswith(begin)
    assert run(args=["certificates", "print", str(tmp_path / "all.doc")]).exit_code == 2
    assert run(args=["certificates", "print", "--from", "2090-01-01", str(tmp_path / "none.pdf")]).exit_code == 1
