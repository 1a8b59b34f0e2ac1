"""Undoing an import of past trainings: figures and people as before, and what was changed since stays."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.imports import runs
from courses.imports.past_undo import ANONYMOUS_NAME
from courses.models.attendance import Attendance
from courses.models.imports import ImportState
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from lms.config import Settings
from tests.courses.imports.past_files import PastWorld
from tests.factories import Make


def test_undo_brings_every_figure_and_everybody_back(world: PastWorld, db: Session, make: Make) -> None:
    make.trainee(name="王小明", phone="+8613800138000")
    db.commit()
    before = world.state()
    run = world.done(
        [
            world.row(certificate="BJ-1"),
            world.row(name="李红", phone="13800138001"),
            world.row(name="李红", phone="13800138001", place="操场", days="2016-05-05"),
        ]
    )
    assert world.state() != before
    runs.undo(db, run, "wrong file")
    world.work(run)
    after = world.state()
    assert run.state is ImportState.UNDONE
    assert (after["people"], after["counts"], after["lines"]) == (before["people"], before["counts"], before["lines"])
    assert sorted(db.scalars(select(Trainee.name))) == sorted(["王小明", ANONYMOUS_NAME])
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0
    assert world.differences() == []


def test_what_was_corrected_since_is_named_and_stays(world: PastWorld, db: Session, settings: Settings) -> None:
    run = world.done([world.row(), world.row(name="李红", phone="13800138001", place="操场")])
    touched = db.scalars(select(Offering).where(Offering.place == "礼堂")).one()
    db.execute(update(CourseSession).where(CourseSession.offering_id == touched.id).values(headcount=5))
    person_time.record_correction(db, touched, "counted again", settings.zone)
    runs.undo(db, run, "wrong file")
    world.work(run)
    assert (run.tally["kept_offerings"], run.tally["undone_offerings"]) == (1, 1)
    assert len(run.notes) == 1
    assert db.scalars(select(Trainee.name).where(Trainee.name == "王小明")).one()
    assert world.differences() == []
