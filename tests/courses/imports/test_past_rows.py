"""Reading the rows of past trainings: each reason for a refusal, and cells as text."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import corrections
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.scope import Scope
from tests.courses.imports.past_files import PastWorld, refusals, waits_for
from tests.factories import Make


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"course": "XX"}, "There is no course"),
        ({"course": ""}, "The cell “course” is empty"),
        ({"host": ""}, "The cell “host” is empty"),
        ({"days": ""}, "The cell “days” is empty"),
        ({"district": "纽约"}, "There is no district"),
        ({"host": "没有"}, "There is no organisation"),
        ({"lead": "X-1"}, "There is no instructor"),
        ({"days": "2015-13-07"}, "is not a date"),
        ({"days": "2099-01-01"}, "not in the past"),
        ({"starts": "25:00"}, "is not a time"),
        ({"ends": "08:00"}, "must end after"),
        ({"name": ""}, "Enter the name"),
        ({"phone": "12"}, "not a phone number"),
        ({"phone": ""}, "Enter a phone number or an ID number"),
        ({"phone": "", "id_number": "110105194912310021"}, "not a resident ID number"),
        ({"phone": "", "id_number": "1.1E+17"}, "Excel has shortened"),
        ({"phone": "", "id_number": "11010519491231002X", "birth_year": "1950"}, "do not match"),
        ({"phone": "", "id_type": "借书证", "id_number": "1"}, "There is no ID type"),
        ({"phone": "", "birth_year": "abc"}, "year of birth"),
        ({"present": "3"}, "is not a list of session numbers"),
        ({"arrived": "12:30"}, "be after the end"),
        ({"departed": "08:00"}, "be before the check-in"),
        ({"result": "也许"}, "There is no result"),
        ({"present": "0", "result": "合格"}, "attended no session cannot pass"),
        ({"certificate": "abc"}, "not a certificate number"),
        ({"certificate": "A1", "result": "不合格"}, "A person who failed"),
        ({"certificate": "A1", "issued_on": "2014-01-01"}, "cannot have been issued"),
        ({"ends": "13:00"}, "An earlier row has this offering"),
    ],
)
def test_each_reason_names_its_line(world: PastWorld, cells: dict[str, str], reason: str) -> None:
    run = world.checked(
        [world.row(name="甲", phone="13800138001", place="三楼"), world.row(place="礼堂"), world.row(**cells)]
    )
    *waiting, (line, message) = refusals(world, run)
    assert run.tally["refused"] == len(waiting) + 1
    assert line == 4
    assert reason in message
    *_rows, (line, sent, _message, _params) = corrections.rows_to_correct(world.db, run)
    assert sent[8] == cells.get("name", "王小明")
    assert waiting in ([], [(3, waits_for(4))])  # where the row names an offering at all


def test_gbk_and_cells_that_look_like_formulas_are_read_as_text(world: PastWorld, db: Session) -> None:
    run = world.done([world.row(name="=SUM(甲)", place="+礼堂")], encoding="gb18030")
    assert run.encoding == "gb18030"
    assert db.scalars(select(Trainee.name)).one() == "=SUM(甲)"
    assert db.scalars(select(Offering.place)).one() == "+礼堂"


def test_another_districts_rows_are_refused_one_by_one(world: PastWorld, make: Make) -> None:
    make.organisation(2, name_zh="二号社区")
    rows = [world.row(), world.row(district="西城区", host="二号社区", name="李红", phone="13800138001")]
    run = world.checked(rows, scope=Scope(district_ids=frozenset({1})))
    assert run.tally["new"] == 1
    assert [(line, "not your district" in message) for line, message in refusals(world, run)] == [(3, True)]
