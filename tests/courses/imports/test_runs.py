"""The life of an import: its states, its workers, and its end after thirty days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.events import ImportRequested
from courses.imports import choices, runs
from courses.imports.runs import WORKER_LOCK
from courses.models.imports import ImportLine, ImportPiece, ImportRun, ImportState
from lms.config import Settings
from lms.core import clock, events
from lms.core.errors import DomainError
from tests.courses.imports.files_of import Importer

ROWS = [
    {"name_zh": "景山街道红十字会", "district": "东城区", "sector": "红十字会"},
    {"name_zh": "第五小学", "district": "海淀", "sector": "学校"},
    {"name_zh": "第六小学", "district": "海淀", "sector": "学校"},
]


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def refused(code: str, act: object, *given: object) -> None:
    assert callable(act)
    with pytest.raises(DomainError) as error:
        act(*given)
    assert error.value.code == code


def test_each_step_asks_for_the_one_before(importer: Importer, db: Session) -> None:
    run = importer.receive(ROWS)
    for act in (runs.start, runs.resume):
        refused("import_state", act, db, run)
    refused("import_state", runs.undo, db, run, "错了")
    refused("reason_missing", runs.undo, db, run, "  ")
    runs.stop(db, run)  # nothing to stop
    assert (run.state, run.stop_asked) == (ImportState.RECEIVED, False)
    runs.check(db, run)
    refused("import_state", runs.check, db, run)
    refused("import_state", choices.remap, db, run, {})
    importer.work(run)
    runs.start(db, run)
    importer.work(run)
    refused("import_state", runs.start, db, run)
    importer.undone(run)
    refused("import_state", runs.undo, db, run, "再来一次")
    assert run.state is ImportState.UNDONE


def test_nobody_who_stops_it_waits_for_a_chunk(
    importer: Importer, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk lets the import's own row alone until its end: who asks for a stop writes there too."""
    place = text("SELECT ctid::text FROM import_run")
    at_work: list[bool] = []

    def watched(act: Callable[..., int | None]) -> Callable[..., int | None]:
        def acting(*given: Any) -> int | None:
            before = db.scalar(place)
            found = act(*given)
            at_work.append(before == left == db.scalar(place))
            return found

        return acting

    for name in ("classify", "write", "undo_rows"):
        monkeypatch.setattr(importer.kind, name, watched(getattr(importer.kind, name)))
    run = importer.receive(ROWS)
    runs.check(db, run)
    for ask in (lambda: runs.start(db, run), lambda: runs.undo(db, run, "错误的文件"), lambda: None):
        db.commit()
        left = db.scalar(place)
        for _progress in runs.work(db, run.id, importer.context):
            db.commit()
            left = db.scalar(place)
        ask()
    assert run.state is ImportState.UNDONE
    assert at_work == [True] * 7


def test_a_stopped_one_goes_on_with_what_it_did(importer: Importer, db: Session) -> None:
    run = importer.receive(ROWS)
    runs.check(db, run)
    runs.stop(db, run)
    db.commit()
    importer.work(run)
    assert (run.state, run.doing) == (ImportState.STOPPED, ImportState.CHECKING)
    refused("nothing_moved", runs.undo, db, run, "错了")
    runs.resume(db, run)
    importer.work(run)
    runs.start(db, run)
    db.commit()
    next(runs.work(db, run.id, importer.context))
    db.commit()
    runs.stop(db, run)
    db.commit()
    importer.work(run)
    assert (run.state, run.doing) == (ImportState.STOPPED, ImportState.RUNNING)
    assert run.cursor > 0
    importer.undone(run)  # half an import is undone as a whole one is
    assert (run.state, run.tally["undone_rows"]) == (ImportState.UNDONE, 2)


def test_a_worker_is_woken_for_each_thing_that_is_asked_for(
    importer: Importer, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[object] = []
    monkeypatch.setattr(events, "publish", lambda _db, event: woken.append(event))
    run = importer.receive(ROWS)
    assert (woken, runs.busy_ids(db)) == ([], [])
    runs.check(db, run)
    assert runs.busy_ids(db) == [run.id]
    importer.work(run)
    assert runs.busy_ids(db) == []
    runs.start(db, run)
    runs.stop(db, run)
    db.commit()
    importer.work(run)
    runs.resume(db, run)
    importer.work(run)
    importer.undone(run)
    assert woken == [ImportRequested(run.id)] * 4


def test_two_workers_never_do_the_same_import(importer: Importer, db: Session, app: Flask) -> None:
    run = importer.receive(ROWS)
    runs.check(db, run)
    db.commit()
    with app.extensions["engine"].connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key, :run)"), {"key": WORKER_LOCK, "run": run.id})
        importer.work(run)
        assert run.state is ImportState.CHECKING
    importer.work(run)
    assert run.state is ImportState.CHECKED


def test_an_error_of_ours_ends_it_once_and_names_no_other(importer: Importer, db: Session) -> None:
    run = importer.checked(ROWS)
    runs.give_up(db, run.id)  # it ended well meanwhile
    assert (run.state, runs.problem(run)) == (ImportState.CHECKED, ("", {}))
    runs.start(db, run)
    runs.give_up(db, run.id)
    assert run.state is ImportState.FAILED
    assert runs.problem(run)[0].startswith("Something went wrong")
    runs.resume(db, run)
    importer.work(run)
    assert (run.state, runs.problem(run)) == (ImportState.DONE, ("", {}))


def test_after_thirty_days_nothing_of_the_file_is_left_and_nothing_to_undo(importer: Importer, db: Session) -> None:
    run = importer.done(ROWS)
    assert runs.erase(db) == 0
    with clock.at(clock.now() + timedelta(days=31)):
        assert runs.erase(db) == 1
        assert runs.erase(db) == 0
    refused("erased", runs.undo, db, run, "错了")
    for table in (ImportLine, ImportPiece):
        assert db.scalar(select(func.count()).select_from(table).where(table.run_id == run.id)) == 0
    assert db.scalar(select(func.count()).select_from(ImportRun)) == 1
