"""Figures of a file that overlap with figures of another kind wait for a person, in both directions and in each way in."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from celery.app.task import Task
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import overlaps, runs
from courses.models.enrolment import EnrolmentState
from courses.models.imports import ImportRun, ImportState
from courses.models.opening_balances import OpeningBalance
from courses.reports.opening_totals import opening_totals
from courses.reports.questions import Filters, Question
from lms.accounts.models import User
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role
from tests.courses.imports.files_of import Importer, outcome
from tests.courses.imports.past_files import PastWorld
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

MARCH = {"month": "2015-03", "district": "东城区", "programme": "救护员培训", "person_times": "5,000"}
REASON = "另一家单位的培训"
CAME = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


@pytest.fixture
def balances(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "opening_balances")


def opening(db: Session) -> int:
    db.expire_all()
    return opening_totals(db, Question(Filters(date(2015, 1, 1), date(2015, 12, 31)), EVERYTHING)).person_times


def accepted(importer: Importer | PastWorld, db: Session, run: ImportRun) -> None:
    runs.start(db, run, REASON)
    importer.work(run)


def named(db: Session, importer: Importer | PastWorld, run: ImportRun) -> list[str]:
    find = overlaps.of_balances if run.kind == "opening_balances" else overlaps.of_past_trainings
    return [str(overlap) for overlap in find(db, run)]


def test_a_balance_for_a_month_with_records_waits_for_a_decision(balances: Importer, db: Session) -> None:
    """5,000 of the yearbook and 2,734 of closed offerings: the reports would show 7,734."""
    World(db).close(Plan(date(2015, 3, 7), (2733,), (CAME,), False, 1))
    World(db).close(Plan(date(2015, 3, 7), (9,), (), False, 1, "RESCUE"))  # another programme
    World(db).close(Plan(date(2015, 3, 7), (9,), (), False, 2))  # another district
    World(db).close(Plan(date(2015, 4, 1), (9,), (), False, 1))  # another month
    run = balances.checked([MARCH, {**MARCH, "month": "2015-06"}])
    assert named(db, balances, run) == ["2015-03 东城区 救护员培训: 5,000 + 2,734"]
    for reason in (None, "  "):
        with pytest.raises(DomainError, match="Months of this file") as refused:
            runs.start(db, run, reason)
        assert refused.value.field == "reason"
    assert (run.state, opening(db)) == (ImportState.CHECKED, 0)
    accepted(balances, db, run)
    assert (run.state, opening(db)) == (ImportState.DONE, 10_000)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "import.start")).one()
    assert (entry.reason, entry.after and entry.after["overlaps"]) == (
        REASON, ["2015-03 东城区 救护员培训: 5,000 + 2,734"],
    )  # fmt: skip


def test_a_second_balance_waits_for_a_decision_and_then_adds_to_the_first(balances: Importer, db: Session) -> None:
    balances.done([MARCH])
    run = balances.checked([{**MARCH, "person_times": "300"}])
    assert named(db, balances, run) == ["2015-03 东城区 救护员培训: 300 + 5,000"]
    with pytest.raises(DomainError, match="Decide"):
        runs.start(db, run)
    accepted(balances, db, run)
    assert opening(db) == 5_300
    again = balances.checked([MARCH])  # the same figures again are known
    assert (outcome(again), named(db, balances, again)) == ((0, 1, 0, 0), [])


def test_past_trainings_of_a_month_with_a_balance_wait_for_a_decision(
    world: PastWorld, balances: Importer, db: Session
) -> None:
    balances.done([MARCH])
    rows = [
        world.row(),
        world.row(name="李红", phone="13800138001"),
        world.row(name="赵云", phone="13800138002", present="0"),
        world.row(place="操场", days="2016-03-07"),
    ]
    run = world.checked(rows)
    assert named(db, world, run) == ["2015-03 东城区 救护员培训: 2 + 5,000"]
    with pytest.raises(DomainError, match="Decide"):
        runs.start(db, run)
    accepted(world, db, run)
    assert (run.state, run.tally["offerings"]) == (ImportState.DONE, 2)
    runs.undo(db, run, "wrong file")
    world.work(run)
    later = balances.checked([{**MARCH, "month": "2016-03"}])  # undone records are no records
    assert named(db, balances, later) == []
    assert world.differences() == []


def test_no_decision_is_asked_for_where_the_source_was_withdrawn(
    world: PastWorld, balances: Importer, db: Session
) -> None:
    balances.undone(balances.done([MARCH]))
    assert world.done([world.row()]).state is ImportState.DONE


def test_figures_entered_after_the_decision_bring_the_import_back_to_the_person(
    world: PastWorld, balances: Importer, db: Session
) -> None:
    """Both files were checked when neither was in. The later one waits, whichever it is, and nothing of it is written."""
    slow, other = balances.checked([MARCH]), world.checked([world.row()])
    runs.start(db, slow)
    runs.start(db, other)
    world.work(other)
    balances.work(slow)
    assert (other.state, slow.state, opening(db)) == (ImportState.DONE, ImportState.CHECKED, 0)
    accepted(balances, db, slow)
    assert opening(db) == 5_000
    third = world.checked([world.row(place="操场", days="2015-03-10"), world.row(place="操场", days="2015-05-10")])
    runs.start(db, third, REASON)
    accepted(balances, db, balances.checked([{**MARCH, "month": "2015-05"}]))
    world.work(third)
    assert third.state is ImportState.CHECKED
    accepted(world, db, third)
    assert third.state is ImportState.DONE


def test_the_page_names_the_figures_and_takes_the_reason(  # noqa: PLR0917  # fixtures, each by name
    app: Flask, db: Session, make: Make, sign_in: Callable[[User], FlaskClient], balances: Importer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(Task, "apply_async", lambda *_args, **_how: None)
    World(db).close(Plan(date(2015, 3, 7), (2734,), (), False, 1))
    run = balances.checked([MARCH])
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = browser.get(f"/imports/{run.ref}")
    assert "5,000 + 2,734 = 7,734" in re.sub(r"\s+", " ", page.text)
    assert "仍然导入" in page.text
    refused = browser.post(f"/imports/{run.ref}/start", data={"reason": " "})
    assert (refused.status_code, "已有数字" in refused.text) == (422, True)
    assert browser.post(f"/imports/{run.ref}/start", data={"reason": REASON}).status_code == 302
    db.expire_all()
    balances.work(run)
    assert opening(db) == 5_000


def test_the_command_names_the_figures_and_takes_the_reason(
    app: Flask, db: Session, tmp_path: Path, settings: Settings
) -> None:
    World(db).close(Plan(date(2015, 3, 7), (2734,), (), False, 1))
    db.commit()
    path = tmp_path / "balances.csv"
    path.write_text("月份,区,培训项目,人次\n2015-03,东城区,救护员培训,5000\n")
    command = ["import", "run", "opening_balances", str(path)]
    refused = app.test_cli_runner().invoke(args=command)
    assert refused.exit_code == 1
    assert "2015-03 东城区 救护员培训: 5,000 + 2,734" in refused.output
    assert "give a reason" in refused.output
    assert opening(db) == 0
    assert app.test_cli_runner().invoke(args=[*command, "--accept-overlaps", REASON]).exit_code == 0
    assert opening(db) == 5_000
    assert len(db.scalars(select(OpeningBalance)).all()) == 1
