"""Offerings in progress stand beside the report and are in none of its totals."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from courses.reports import enrolment, in_progress
from courses.reports.in_progress import InProgress
from courses.reports.ledger import Figures
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import BEIJING, Plan, World, attend
from tests.factories import Make


def test_what_is_not_closed_is_shown_apart(db: Session, make: Make) -> None:
    start = datetime(2025, 5, 6, 9, tzinfo=BEIJING)
    held, planned = make.offering(starts=[start]), make.offering(starts=[start])
    attend(db, make.enrolment(held), held.sessions[0])
    make.enrolment(planned)
    report = enrolment.report(db, ask(), zone=BEIJING)
    assert report.total == Figures()
    assert report.progress == InProgress(offerings=1, enrolled=1, named=1, counted=0)
    assert in_progress.total(db, ask(in_district(2)), zone=BEIJING) == InProgress(0, 0, 0, 0)


def test_the_last_session_decides_the_period(db: Session, make: Make) -> None:
    starts = [datetime(2025, 3, 31, 9, tzinfo=BEIJING), datetime(2025, 4, 1, 9, tzinfo=BEIJING)]
    offering = make.offering(starts=starts)
    attend(db, make.enrolment(offering), offering.sessions[0])
    march = ask(since=date(2025, 3, 1), until=date(2025, 3, 31))
    april = ask(since=date(2025, 4, 1), until=date(2025, 4, 30))
    assert in_progress.total(db, march, zone=BEIJING).offerings == 0
    assert in_progress.total(db, april, zone=BEIJING).offerings == 1


def test_a_closed_offering_is_not_in_progress(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    assert in_progress.total(db, ask(), zone=BEIJING).offerings == 0
