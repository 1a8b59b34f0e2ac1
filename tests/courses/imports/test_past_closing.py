"""Ledger lines for the certificates of past trainings."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.config import Settings
from tests.courses.imports.past_files import PastWorld


def test_certificates_are_counted_by_offering_and_day_of_issue_and_in_an_open_quarter(
    world: PastWorld, db: Session, settings: Settings
) -> None:
    quarters.freeze(db, Quarter(2015, 1), settings.zone)
    quarters.freeze(db, Quarter(2015, 2), settings.zone)
    people = [("甲", "2015-03-20"), ("乙", "2015-05-01"), ("丙", "2015-07-05"), ("丁", "2015-07-05")]
    rows = [
        world.row(name=name, phone=f"1380013800{n}", certificate=f"BJ-2015-{n}", issued_on=day)
        for n, (name, day) in enumerate(people)
    ]
    world.done([*rows, world.row(name="戊", phone="13800138009")])
    lines = db.execute(
        select(PersonTimeEntry.dated_on, PersonTimeEntry.certificates)
        .where(PersonTimeEntry.kind == EntryKind.CERTIFICATION)
        .order_by(PersonTimeEntry.id)
    ).all()
    assert [tuple(line) for line in lines] == [(date(2015, 7, 1), 1), (date(2015, 7, 1), 1), (date(2015, 7, 5), 2)]
    assert world.differences() == []


def test_a_file_without_certificates_writes_no_line(world: PastWorld, db: Session) -> None:
    world.done([world.row()])
    assert set(db.scalars(select(PersonTimeEntry.kind))) == {EntryKind.CLOSING}
