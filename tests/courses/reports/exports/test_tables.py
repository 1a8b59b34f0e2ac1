"""The tables of exports hold the rows of the report, and personal data only where it was asked for."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.models.exports import ExportKind, PersonalData
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from courses.reports.exports import tables
from courses.reports.exports.tables import ExportWording
from courses.reports.questions import Figure
from lms.core.copying import Kind
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import Plan, World
from tests.factories import Make


@pytest.fixture
def course(db: Session) -> Offering:
    offering = World(db).close(Plan(date(2025, 3, 1), (5,), (PRESENT,), False, 1))
    for enrolment in db.query(Enrolment):
        enrolment.sessions_attended, enrolment.minutes_attended = 1, 180
    World(db).close(Plan(date(2025, 4, 1), (9,), (), False, 2))
    return offering


def test_each_offering_is_a_row_and_a_figure_narrows_them(db: Session, course: Offering) -> None:
    every = db.execute(tables.offerings(ask(), ExportWording()).for_programs()).mappings().all()
    assert [row["person_times"] for row in every] == [9, 6]
    named = db.execute(tables.offerings(ask(), ExportWording(), Figure.NAMED).for_programs()).mappings().all()
    assert [row["offering_no"] for row in named] == [course.id]
    assert tables.expected_rows(db, ExportKind.OFFERINGS, ask(), Figure.NAMED) == 1


def test_participations_and_people_keep_to_the_scope(db: Session, course: Offering) -> None:
    for scope, number in ((EVERYTHING, 1), (in_district(2), 0)):
        question = ask(scope)
        participations = tables.participations(question, ExportWording(), PersonalData.NONE)
        people = tables.people(question, PersonalData.NONE)
        assert len(db.execute(participations.for_programs()).all()) == number
        assert len(db.execute(people.for_programs()).all()) == number
        assert tables.count_rows(db, tables.enrolments(course.id, scope, ExportWording(), PersonalData.NONE)) == number
        [meeting] = course.sessions
        assert (
            tables.count_rows(db, tables.attendances(meeting.id, scope, ExportWording(), PersonalData.NONE)) == number
        )


def test_names_and_phones_are_columns_only_where_asked_for(course: Offering) -> None:
    for personal in PersonalData:
        table = tables.participations(ask(), ExportWording(), personal)
        names = [column.name for column in table.columns]
        has_personal_data = personal is not PersonalData.NONE
        assert ("name" in names, "phone" in names, table.unseal is not None) == (has_personal_data,) * 3
        assert (table.columns[-1].kind is Kind.SEALED) == has_personal_data


def test_a_name_is_that_of_the_readers_language(db: Session, course: Offering) -> None:
    for english, expected in ((True, course.district.name_en), (False, course.district.name_zh)):
        table = tables.offerings(ask(in_district(1)), ExportWording(english=english))
        assert [row["district"] for row in db.execute(table.for_programs()).mappings()] == [expected]


def test_the_phone_of_a_person_who_is_also_elsewhere_is_left_out(db: Session, course: Offering, make: Make) -> None:
    """A district that enrols a stranger would otherwise read the stranger's phone in a file."""
    [meeting] = course.sessions
    [person] = db.query(Trainee).join(Enrolment).where(Enrolment.offering_id == course.id)
    person.phone, person.district_id = "+8613812345678", 1
    db.flush()

    def phones(scope: Scope) -> set[bool]:
        """By kind of table, a flag that tells if it has the phone."""
        question, full = ask(scope), PersonalData.FULL
        made = [
            tables.participations(question, ExportWording(), full),
            tables.people(question, full),
            tables.enrolments(course.id, scope, ExportWording(), full),
            tables.attendances(meeting.id, scope, ExportWording(), full),
        ]
        rows = [row for table in made for row in db.execute(table.for_programs()).mappings()]
        assert rows
        return {row["phone"] is not None for row in rows}

    assert (phones(in_district(1)), phones(EVERYTHING)) == ({True}, {True})
    make.enrolment(make.offering(organisation=make.organisation(2)), person)
    assert (phones(in_district(1)), phones(EVERYTHING)) == ({False}, {True})
