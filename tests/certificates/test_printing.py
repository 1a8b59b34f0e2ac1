"""Printing of many certificates: the ZIP, the single PDF, and what is left out of them."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy.orm import Session, sessionmaker

from certificates import printing
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.printing import PrintFormat
from courses.models.offerings import Offering
from tests.certificates.conftest import closed_offering
from tests.factories import Make

Issue = Callable[..., Certificate]


@pytest.fixture
def offering(make: Make) -> Offering:
    return closed_offering(make)


@pytest.fixture
def three(issue: Issue, offering: Offering) -> list[Certificate]:
    return [issue(name, offering=offering) for name in ("张三丰", "李四", "王五")]


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
