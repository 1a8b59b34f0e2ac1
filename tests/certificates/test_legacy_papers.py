"""Numbers that rows of past trainings name can be verified, and go again with the import."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import legacy, legacy_papers
from certificates.models import Certificate, LegacyCertificate
from certificates.states import State
from courses.imports import runs
from courses.imports.kinds import Context
from courses.imports.past import PAST
from courses.models.imports import ImportRun, ImportState
from courses.models.trainees import Trainee
from lms.config import Settings
from lms.core.scope import EVERYTHING
from tests.certificates.legacy_files import ID_NUMBER
from tests.factories import Make

FIELDS = ("course", "district", "host", "days", "name", "phone", "id_number", "certificate", "issued_on")


def test_it_is_what_keeps_the_papers_of_past_trainings() -> None:
    assert [type(one) for one in PAST.papers] == [legacy_papers.LegacyPapers]


@pytest.fixture
def file(db: Session, make: Make, settings: Settings, app: Flask) -> io.BytesIO:
    """Two offerings; a number of each, one twice and one that is held."""
    make.new_course(code="FR-OLD", name_zh="救护员旧班", validity_months=36, pass_mark=None)
    make.organisation(1, name_zh="一号社区")
    host = ("FR-OLD", "东城区", "一号社区")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    for row in (
        (*host, "2015-03-07", "王小明", "", ID_NUMBER, "旧证(2015)第1号", "2015-04-01"),
        (*host, "2015-03-07", "李红", "13800138001", "", "旧证（2015）第１号", ""),
        (*host, "2015-03-07", "赵刚", "13800138002", "", "", ""),
        (*host, "2015-05-09", "孙芳", "13800138003", "", "旧证2015-2", ""),
    ):
        writer.writerow(row)
    return io.BytesIO(out.getvalue().encode())


def test_a_number_of_this_system_is_no_legacy_certificate(
    db: Session, make: Make, settings: Settings, issue: Callable[..., Certificate]
) -> None:
    ours = issue("王小明").number
    make.new_course(code="FR-OLD", name_zh="救护员旧班", pass_mark=None)
    make.organisation(1, name_zh="一号社区")
    row = f"FR-OLD,东城区,一号社区,2015-03-07,王小明,13800138001,,{ours.lower()},"
    made = runs.receive(
        db, PAST, file=io.BytesIO(f"{','.join(FIELDS)}\n{row}".encode()), file_name="old.csv", scope=EVERYTHING
    )
    runs.check(db, made)
    work(db, made, settings)
    runs.start(db, made)
    work(db, made, settings)
    assert (made.tally["enrolments"], made.tally["certificates"]) == (1, 0)
    assert db.scalar(select(func.count()).select_from(LegacyCertificate)) == 0


def work(db: Session, run: ImportRun, settings: Settings) -> None:
    for _progress in runs.work(db, run.id, Context(settings.zone, 2)):
        db.commit()


@pytest.fixture
def run(db: Session, file: io.BytesIO, settings: Settings) -> ImportRun:
    made = runs.receive(db, PAST, file=file, file_name="old.csv", scope=EVERYTHING)
    runs.check(db, made)
    work(db, made, settings)
    assert db.scalar(select(func.count()).select_from(LegacyCertificate)) == 0, "a dry run"
    runs.start(db, made)
    work(db, made, settings)
    return made


def test_a_number_is_verified_by_name_and_by_id_number(db: Session, run: ImportRun) -> None:
    assert (run.state, run.tally["enrolments"], run.tally["certificates"]) == (ImportState.DONE, 4, 2)
    for proof in ("王小明", ID_NUMBER[-6:]):
        found = legacy.find(db, "旧证2015第1号", proof, today=date(2016, 1, 1))
        assert found is not None
        assert (found.course, found.unit, found.issued_on, found.valid_until, found.state) == (
            "救护员旧班", "东城区红十字会", date(2015, 4, 1), date(2018, 3, 31), State.VALID,
        )  # fmt: skip
    assert legacy.find(db, "旧证2015第1号", "李红", today=date(2016, 1, 1)) is None
    later = legacy.find(db, "旧证2015-2", "孙芳", today=date(2030, 1, 1))
    assert later is not None
    assert (later.issued_on, later.state) == (date(2015, 5, 9), State.EXPIRED)
    assert set(db.scalars(select(LegacyCertificate.source))) == {"old.csv:2", "old.csv:5"}


def test_they_go_with_the_import_except_one_that_was_revoked(db: Session, run: ImportRun, settings: Settings) -> None:
    legacy.revoke(db, "旧证2015-2", "伪造档案")
    runs.undo(db, run, "错误的文件")
    work(db, run, settings)
    assert run.state is ImportState.UNDONE
    [left] = db.scalars(select(LegacyCertificate)).all()
    assert run.notes == [f"#{left.id} 旧证2015-2"]
    assert db.scalar(select(func.count()).select_from(Trainee).where(Trainee.name == "王小明")) == 0
