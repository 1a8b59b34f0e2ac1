"""After the undo of an import every page and every file is as before it, byte for byte but for time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters, targets
from courses.counting.quarters import Quarter
from courses.counting.recount import LedgerDifference
from courses.imports import runs
from courses.imports.past_undo import REASON
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.imports import ImportRun, ImportState
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.trainees import ANONYMOUS_REF, Trainee
from courses.reports import adjustments, indicators
from courses.reports import enrolment as enrolment_report
from courses.reports.ledger import Figures
from courses.reports.questions import Filters, Question
from lms.accounts.models import User
from lms.config import Settings
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld
from tests.courses.imports.undone_pages import addresses, differing, snapshot
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
COMPLETED = EnrolmentState.COMPLETED
ALL_TIME = Filters(date(2000, 1, 1), date(2026, 12, 31))


@pytest.fixture
def before(world: PastWorld, db: Session, make: Make, settings: Settings) -> dict[str, list[Any]]:
    """The figures before the import: closed offerings in three quarters, one of them frozen; a known trainee; targets."""
    with clock.at(NOW):
        made = World(db)
        known = made.cast[0] = make.trainee(name="王小明", phone="+8613800138000")
        plans = (
            Plan(date(2015, 3, 1), (10, 4), (Person(0, COMPLETED, (Presence(0, 0, None),)),), False, 1),
            Plan(date(2015, 5, 1), (0,), (Person(1, COMPLETED, (Presence(0, 10, 60),)),), True, 2, "RESCUE"),
            Plan(date(2026, 10, 5), (3,), (Person(0, COMPLETED, (Presence(0, 0, None),)),), False, 1),
        )
        offerings = [made.close(plan) for plan in plans]
        quarters.freeze(db, Quarter(2015, 1), settings.zone)
        targets.save(db, 2015, {("FIRST_RESPONDER", 1): 100}, {})
        db.commit()
    return {
        "offering_id": [offerings[0].id],
        "session_id": [offerings[0].sessions[0].id],
        "course_session_id": [offerings[0].sessions[0].id],
        "trainee_id": [known.id],
        "course_id": [world.course.id, offerings[0].course_id],
        "organisation_id": [world.host.id],
        "instructor_id": [world.lead.id],
        "year": [2015, 2026],
        "code": ["FIRST_RESPONDER", "2015Q2"],
    }


def rows(world: PastWorld) -> list[dict[str, str]]:
    """Known and new people, with and without certificates, in four months, three quarters and a frozen one."""
    return [
        world.row(certificate="BJ-1", issued_on="2015-03-20"),
        world.row(name="李红", phone="13800138001", result="failed"),
        world.row(name="李红", phone="13800138001", place="操场", days="2016-05-05", certificate="BJ-2"),
        world.row(name="赵云", phone="13800138002", place="操场", days="2016-05-05"),
        world.row(place="体育馆", days="2015-06-01"),
        world.row(name="孙梅", phone="13800138003", place="体育馆", days="2015-06-01", present="0"),
        world.row(name="李红", phone="13800138001", place="剧场", days="2026-11-02", lead=""),
    ]


def test_every_page_and_file_is_as_before_the_import(  # noqa: PLR0917  # fixtures, each by name
    world: PastWorld, db: Session, app: Flask, make: Make, settings: Settings, before: dict[str, list[Any]],
    sign_in: SignIn,
) -> None:  # fmt: skip
    with clock.at(NOW):
        city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
        world.lead.user_id = make.user(Role.INSTRUCTOR).id
        teacher = sign_in(db.get_one(User, world.lead.user_id))
        district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
        everywhere = list(addresses(app, before))
        plain = [pair for pair in everywhere if "?" not in pair[1]]
        walks = ((city, everywhere), (district, plain), (teacher, plain), (app.test_client(), plain))
        first = [snapshot(browser, places) for browser, places in walks]
        organisations = Importer(db, settings, "organisations")
        hosts = organisations.done([{"name_zh": "第五小学", "district": "海淀", "sector": "进学校"}])
        run = world.done(rows(world))
        assert (run.tally["offerings"], run.tally["enrolments"], run.tally["certificates"]) == (4, 7, 2)
        some = [pair for pair in everywhere if pair[0] in {"reports.enrolment", "trainees.index"}]
        during = snapshot(city, some)
        assert len(differing({path: first[0][path] for path in during}, during)) > 5
        undone(world, run)
        organisations.undone(hosts)
        last = [snapshot(browser, places) for browser, places in walks]
    assert [differing(*pair) for pair in zip(first, last, strict=True)] == [{}, {}, {}, {}]
    read = {endpoint for endpoint, path in everywhere if first[0][path][0] == 200}
    assert {endpoint for endpoint, _path in everywhere if endpoint.startswith(("reports.", "indicators."))} <= read
    assert len(read) > 80, "the walk must read pages, not refusals"
    assert world.differences() == []


def undone(world: PastWorld, run: ImportRun) -> None:
    runs.undo(world.db, run, "wrong file")
    world.work(run)
    world.db.commit()


def figures(db: Session, settings: Settings, filters: Filters = ALL_TIME) -> tuple[Any, ...]:
    """Every figure of the reports on a question: its rows, people, adjustments and indicators."""
    question = Question(filters, EVERYTHING)
    report = enrolment_report.report(db, question, zone=settings.zone)
    return report, indicators.report(db, question, zone=settings.zone), adjustments.adjustments(db, question)


@pytest.mark.usefixtures("before")
def test_a_quarter_frozen_since_the_import_keeps_its_figures_and_the_open_one_takes_them_back(
    world: PastWorld, db: Session, settings: Settings
) -> None:
    """A frozen quarter was reported. What the undo takes from it is dated today and names the offerings."""
    second = Filters(date(2015, 4, 1), date(2015, 6, 30))
    fourth = Filters(date(2026, 10, 1), date(2026, 12, 31))
    with clock.at(NOW):
        everything, open_before = figures(db, settings)[0].total, figures(db, settings, fourth)[0].total
        run = world.done(rows(world))
        quarters.freeze(db, Quarter(2015, 2), settings.zone)
        reported = figures(db, settings, second)[0].total
        World(db).close(Plan(date(2026, 11, 1), (5,), (), False, 1))  # another closing in between
        undone(world, run)
        assert figures(db, settings, second)[0].total == reported
        assert figures(db, settings)[0].total == everything + Figures(offerings=1, counted=5, adjusted=-1)
        taken_back = figures(db, settings, fourth)[0].total
        assert (taken_back.offerings, taken_back.named) == (open_before.offerings + 1 - 1, open_before.named - 1)
        adjusting = figures(db, settings, fourth)[2]
        # The class of June, and the certificate of the class in the first quarter, which the second one had counted.
        assert sorted((entry.person_times, entry.reason) for entry in adjusting) == [(-1, REASON), (0, REASON)]
        assert min(adjusting, key=lambda entry: entry.person_times).counted_on == date(2015, 6, 1)
    assert world.differences() == []


@pytest.mark.usefixtures("before")
def test_an_undo_after_a_correction_leaves_the_corrected_offering_alone(
    world: PastWorld, db: Session, settings: Settings
) -> None:
    with clock.at(NOW):
        everything = figures(db, settings)[0].total
        run = world.done(rows(world))
        corrected = db.scalars(select(Offering).where(Offering.place == "操场")).one()
        db.execute(update(CourseSession).where(CourseSession.offering_id == corrected.id).values(headcount=5))
        person_time.record_correction(db, corrected, "counted again", settings.zone)
        undone(world, run)
        now = figures(db, settings)[0].total
    assert (run.tally["kept_offerings"], run.tally["undone_offerings"]) == (1, 3)
    rest = (now.offerings - everything.offerings, now.named - everything.named, now.counted - everything.counted)
    assert rest == (1, 2, 5)
    assert now.certificates - everything.certificates == 1
    assert world.differences() == []


@pytest.mark.usefixtures("before")
def test_the_report_as_of_a_day_between_still_shows_the_import(
    world: PastWorld, db: Session, settings: Settings
) -> None:
    with clock.at(NOW):
        run = world.done(rows(world))
        there = figures(db, settings)[0].total
    with clock.at(NOW + timedelta(days=2)):
        undone(world, run)
        as_of = replace(ALL_TIME, known_before=NOW + timedelta(days=1))
        assert figures(db, settings, as_of)[0].total == there


def test_the_check_finds_a_closing_that_is_not_taken_back(world: PastWorld, db: Session) -> None:
    """The rows that an older undo left: figures that net to nothing, and a closing that still counts as an offering."""
    run = world.done([world.row()])
    undone(world, run)
    withdrawal = db.scalars(select(PersonTimeEntry).where(PersonTimeEntry.kind == EntryKind.WITHDRAWAL)).one()
    offering = withdrawal.offering_id
    db.execute(text("ALTER TABLE person_time_entry DISABLE TRIGGER append_only"))
    db.execute(text("UPDATE person_time_entry SET kind = 'correction' WHERE kind = 'withdrawal'"))
    found = {(row.offering_id, row.figure) for row in world.differences() if isinstance(row, LedgerDifference)}
    assert found == {(offering, "offerings"), (offering, "sessions")}


def test_the_nameless_record_is_on_no_page(world: PastWorld, db: Session, make: Make, sign_in: SignIn) -> None:
    undone(world, world.done([world.row()]))
    nobody = db.scalars(select(Trainee).where(Trainee.ref == ANONYMOUS_REF)).one()
    offering = db.scalars(select(Offering).where(Offering.place == "礼堂")).one()
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    for path in ("", "/edit", "/proof"):
        assert browser.get(f"/trainees/{nobody.id}{path}").status_code == 404
    for path in ("/trainees/", "/trainees/?q=导入", f"/offerings/{offering.id}/enrolments/"):
        page = browser.get(path)
        assert page.status_code == 200
        assert nobody.name not in page.text
    (enrolment_id,) = db.scalars(select(Enrolment.id).where(Enrolment.trainee_id == nobody.id))
    assert browser.get(f"/offerings/{offering.id}/enrolments/{enrolment_id}/cancel").status_code == 404


def test_a_second_undo_reports_the_same_numbers(world: PastWorld, db: Session) -> None:
    """An undo that was stopped and asked for again names what the import made, once."""
    run = world.done([world.row(), world.row(name="李红", phone="13800138001", place="操场")])
    runs.undo(db, run, "wrong file")
    steps = runs.work(db, run.id, world.context)
    while run.step != "undo_people":
        next(steps)
        db.commit()
    next(steps)
    runs.stop(db, run)
    db.commit()
    for _step in steps:
        db.commit()
    db.refresh(run)
    if run.state is ImportState.STOPPED:
        undone(world, run)
    numbers = {name: run.tally[name] for name in ("undone_offerings", "kept_offerings", "undone_people", "kept_people")}
    assert numbers == {"undone_offerings": 2, "kept_offerings": 0, "undone_people": 2, "kept_people": 0}
