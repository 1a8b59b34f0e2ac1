"""Targets in a spreadsheet."""

import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import target_file
from courses.counting.target_file import TargetFile
from courses.models.catalogue import Programme
from lms.core.errors import DomainError
from lms.organisations.models import District, Sector


def read(db: Session, text: str) -> TargetFile:
    return target_file.read(text.encode(), db.scalars(select(Programme)).all(), db.scalars(select(District)).all())


def test_rows_of_districts_and_of_sectors_are_read_and_totals_left_out(db: Session) -> None:
    found = read(
        db,
        '2026年任务\n区,领域,培训项目,目标\n东城,,RESCUE,"1,200"\n西城区,,救护员培训,300.0\n,学校,RESCUE,50\n'
        "海淀区,,RESCUE,\n合计,,,1550\n",
    )
    assert found.districts == {("RESCUE", 1): 1200, ("FIRST_RESPONDER", 2): 300}
    assert (found.sectors, found.errors, found.number) == ({("RESCUE", Sector.SCHOOL): 50}, [], 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("天津,,RESCUE,5", "There is no district “天津”."),
        ("东城,,救火,5", "There is no programme “救火”."),
        (",月球,RESCUE,5", "There is no sector “月球”."),
        (",,RESCUE,5", "There is no sector “”."),
        ("东城,学校,RESCUE,5", "A row has a district or a sector, not both."),
        ("东城,,RESCUE,-5", "“-5” is no whole number from 1 to 10000000."),
        ("东城,,RESCUE,0", "“0” is no whole number from 1 to 10000000."),
        ("东城,,RESCUE,1.5", "“1.5” is no whole number from 1 to 10000000."),
        ("西城,,RESCUE,6", "An earlier row has another target for the same place and programme."),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_are(db: Session, row: str, message: str) -> None:
    found = read(db, f"区,领域,培训项目,目标\n西城,,RESCUE,5\n{row}\n西城,,RESCUE,5\n")
    assert [(error.line, error.message % error.params) for error in found.errors] == [(3, message)]
    assert found.districts == {("RESCUE", 2): 5}


@pytest.mark.parametrize("text", ["姓名,手机\n王小明,1\n", "培训项目,目标\nRESCUE,5\n", "区,目标\n东城,5\n"])
def test_another_table_is_refused(db: Session, text: str) -> None:
    with pytest.raises(DomainError) as refused:
        read(db, text)
    assert refused.value.field == "file"


def test_what_is_no_spreadsheet_is_refused(db: Session) -> None:
    with pytest.raises(DomainError):
        target_file.read(io.BytesIO(b"PK\x03\x04nothing").read(), [], [])
