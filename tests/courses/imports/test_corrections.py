"""The refused rows of an import, with their reasons."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import corrections
from lms.config import Settings
from lms.core.audit import AuditEntry
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld, waits_for

GOOD = {"name_zh": "第五小学", "district": "海淀", "sector": "学校"}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def test_refused_and_duplicate_rows_come_in_the_order_of_the_file(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD, {**GOOD, "district": "天津"}, GOOD, {**GOOD, "sector": "月球"}])
    refused = list(corrections.refused_rows(db, run))
    assert [line for line, _message, _params in refused] == [3, 4, 5]
    assert refused[0][1:] == ("There is no district “%(text)s”.", {"text": "天津"})
    assert refused[1][1:] == ("Line %(line)s names the same organisation.", {"line": 2})
    assert [line for line, _message, _params in corrections.refused_rows(db, run, 2)] == [3, 4]


def test_rows_to_correct_hold_the_cells_as_they_were_sent(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD, {**GOOD, "district": "天津"}, GOOD])
    rows = [(line, cells) for line, cells, _message, _params in corrections.rows_to_correct(db, run)]
    assert rows == [(3, ["第五小学", "天津", "学校", ""]), (4, ["第五小学", "海淀", "学校", ""])]


def test_with_a_limit_the_rows_that_only_wait_come_last(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(), world.row(name="李红", phone="12")])
    assert [line for line, *_rest in corrections.refused_rows(db, run)] == [2, 3]
    first, second = corrections.refused_rows(db, run, 5)
    assert (first[0], second[0]) == (3, 2)
    assert second[1] % second[2] == waits_for(3)


def test_a_download_is_audited(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD])
    corrections.audit_download(db, run)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "import.correct")).one()
    assert entry.after == {"kind": "organisations", "file": "old.csv"}
