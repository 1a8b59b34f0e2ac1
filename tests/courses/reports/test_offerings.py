"""The offerings behind a number, and those in progress."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from courses.reports import offerings
from courses.reports.questions import Figure, Grouping
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import BEIJING, Plan, World, attend
from tests.factories import Make


def test_each_figure_leads_to_offerings_that_give_something_to_it(db: Session) -> None:
    world = World(db)
    talk = world.close(Plan(date(2025, 3, 1), (300,), (), False, 1))
    course = world.close(Plan(date(2025, 3, 2), (0,), (PRESENT,), True, 1))
    for figure in Figure:
        down = offerings.drill_down(db, ask(), figure=figure)
        giving = {row.offering_id for row in down.page.rows}
        expected = {
            Figure.OFFERINGS: {talk.id, course.id}, Figure.COUNTED: {talk.id}, Figure.CERTIFICATES: set(),
            Figure.PERSON_TIMES: {talk.id, course.id},
        }.get(figure, {course.id})  # fmt: skip
        assert giving == expected


def test_another_districts_row_has_no_offerings(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 2))
    question = ask(in_district(1), grouping=Grouping.DISTRICT, key="2")
    assert offerings.drill_down(db, question).page.rows == []


def test_sessions_are_counted_only_behind_the_number_of_offerings(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (1, 2, 3), (), False, 1))
    down = offerings.drill_down(db, ask(), figure=Figure.OFFERINGS)
    assert (down.sessions, [row.sessions for row in down.page.rows]) == (3, [3])
    assert offerings.drill_down(db, ask()).sessions is None


def test_a_page_beyond_the_last_is_the_last(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (10,), (), False, 1))
    down = offerings.drill_down(db, ask(), page=10**20)
    assert (down.page.page, len(down.page.rows), down.total.person_times) == (1, 1, 10)


def test_open_offerings_keep_to_the_scope(db: Session, make: Make) -> None:
    start = datetime(2025, 5, 6, 9, tzinfo=BEIJING)
    held, planned = make.offering(starts=[start]), make.offering(starts=[start])
    attend(db, make.enrolment(held), held.sessions[0])
    make.enrolment(planned)
    in_progress = offerings.open_offerings(db, ask(), zone=BEIJING)
    assert [(row.offering_id, row.counted_on) for row in in_progress.rows] == [(held.id, date(2025, 5, 6))]
    assert in_progress.total.offerings == 1
    assert offerings.open_offerings(db, ask(in_district(2)), zone=BEIJING).rows == []
