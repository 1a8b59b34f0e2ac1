"""The choices before an import can be changed until it starts: a checked import goes back to its sheet and columns."""

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.imports import choices, runs
from courses.models.imports import (
    ImportAttendance,
    ImportLine,
    ImportOffering,
    ImportPerson,
    ImportState,
)
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


SCHOOL = {"name_zh": "第五小学", "district": "海淀", "sector": "学校"}


def test_a_checked_import_goes_back_and_is_checked_as_if_for_the_first_time(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(), world.row(name="李四", phone="13800138001", result="合格")])
    before = run.tally
    choices.reopen(db, run)
    assert (run.state, run.tally, run.cursor, run.doing) == (ImportState.RECEIVED, {}, 0, None)
    for table in (ImportLine, ImportAttendance, ImportOffering, ImportPerson):
        assert db.scalar(select(func.count()).select_from(table).where(table.run_id == run.id)) == 0
    assert db.scalar(select(AuditEntry.action).where(AuditEntry.action == "import.reopen"))
    without_result = {name: at for name, at in run.mapping.items() if name != "result"}
    choices.remap(db, run, without_result)
    runs.check(db, run)
    world.work(run)
    assert (run.state, run.tally, run.mapping) == (ImportState.CHECKED, before, without_result)
    runs.start(db, run)
    world.work(run)
    assert (run.state, run.tally["enrolments"]) == (ImportState.DONE, 2)
    assert world.differences() == []


def test_a_stopped_check_goes_back_and_a_begun_import_does_not(importer: Importer, db: Session) -> None:
    run = importer.receive([SCHOOL])
    with pytest.raises(DomainError):
        choices.reopen(db, run)  # nothing was checked
    runs.check(db, run)
    runs.stop(db, run)
    db.commit()
    importer.work(run)
    assert (run.state, choices.may_reopen(run)) == (ImportState.STOPPED, True)
    choices.reopen(db, run)
    runs.check(db, run)
    importer.work(run)
    runs.start(db, run)
    runs.stop(db, run)
    db.commit()
    importer.work(run)
    assert (run.state, choices.may_reopen(run)) == (ImportState.STOPPED, False)
    with pytest.raises(DomainError) as refused:
        choices.reopen(db, run)
    assert refused.value.code == "import_state"


def test_choices_end_with_the_check(importer: Importer, db: Session) -> None:
    run = importer.checked([SCHOOL])
    for change in (
        lambda: choices.choose_sheet(db, run, "", hidden=False),
        lambda: choices.remap(db, run, {}),
    ):
        with pytest.raises(DomainError) as refused:
            change()
        assert refused.value.code == "import_state"
