"""After the undo of an import every page and every file is as before it, byte for byte but for time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters, targets
from courses.counting.quarters import Quarter
from courses.imports import runs
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import PeopleCount
from courses.models.trainees import ANONYMOUS_REF, Trainee
from courses.reports import adjustments, indicators
from courses.reports import enrolment as enrolment_report
from courses.reports.questions import Filters, Grouping, Question
from lms.accounts.models import User
from lms.config import Settings
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld
from tests.courses.imports.undone_pages import addresses, differing, snapshot
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
COMPLETED = EnrolmentState.COMPLETED
ALL_TIME = Filters(date(2000, 1, 1), date(2026, 12, 31))


@pytest.fixture
def before(world: PastWorld, db: Session, make: Make, settings: Settings) -> dict[str, list[Any]]:
    """What was there before: closed offerings in three quarters, one of them frozen; a known trainee; targets."""
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
    sign_in: Callable[[User], FlaskClient],
) -> None:  # fmt: skip
    with clock.at(NOW):
        browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
        all_addresses = list(addresses(app, before))
        first = snapshot(browser, all_addresses)
        organisations = Importer(db, settings, "organisations")
        hosts = organisations.done([{"name_zh": "第五小学", "district": "海淀", "sector": "进学校"}])
        legacy = Importer(db, settings, "legacy_certificates")
        run = world.done(rows(world))
        assert (run.tally["offerings"], run.tally["enrolments"], run.tally["certificates"]) == (4, 7, 2)
        during = snapshot(browser, [pair for pair in all_addresses if pair[0] in {"reports.enrolment", "trainees.index"}])
        assert len(differing({path: first[path] for path in during}, during)) > 5
        runs.undo(db, run, "wrong file")
        world.work(run)
        organisations.undone(hosts)
        assert legacy.kind is not None
        db.commit()
        last = snapshot(browser, all_addresses)
    assert differing(first, last) == {}
    statuses = [status for status, _content in first.values()]
    assert statuses.count(200) > 150, "the walk must read pages, not refusals"
    read = {endpoint for endpoint, path in all_addresses if first[path][0] == 200}
    assert {endpoint for endpoint, _path in all_addresses if endpoint.startswith("reports.")} <= read
    assert world.differences() == []
    assert not db.scalar(select(func.count()).select_from(PeopleCount).where(PeopleCount.people == 0))
