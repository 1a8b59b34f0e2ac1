"""The columns of an imported file: headings under a title and over two rows, what is remembered, what is not stored."""

import io

import pytest
from sqlalchemy.orm import Session

from courses.imports import choices, columns, files, kinds, runs
from courses.models.imports import ImportRun
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

pytestmark = pytest.mark.usefixtures("app")


def receive(db: Session, content: str, *, kind: str = "past", scope: Scope = EVERYTHING) -> ImportRun:
    file = io.BytesIO(content.encode())
    return runs.receive(db, kinds.kind_of(kind), file=file, file_name="a.csv", scope=scope)


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("姓名,手机(必填),身份证号（18位）,培训日期*,课程,区,主办单位\n", 1),
        ("2015年登记表，含全部学员，请勿外传\n\n姓名,手机,证件号码,日期,课程,区,主办单位\n", 3),
        ("学员信息,,,培训,,,\n姓名,手机,证件号码,日期,课程,区,主办单位\n", 2),
        ('"姓\n名",手机,证件号码,日期,课程,区,主办单位\n', 1),
    ],
)
def test_headings_are_found_under_titles_over_two_rows_and_with_hints(db: Session, head: str, line: int) -> None:
    run = receive(db, head + "王一,13800138000,,2015-03-07,FR,东城区,一号社区\n")
    assert run.head_line == line
    assert run.mapping == {
        "name": 0, "phone": 1, "id_number": 2, "days": 3, "course": 4, "district": 5, "host": 6,
    }  # fmt: skip
    assert [cells[0] for _line, cells in files.rows(db, run, after=run.head_line)] == ["王一"]


def test_a_file_without_known_headings_is_mapped_by_hand(db: Session) -> None:
    run = receive(db, "A,B\n1,2\n")
    assert (run.head_line, run.headings, run.mapping) == (1, ["A", "B"], {})


def test_columns_without_a_field_are_named_also_those_without_a_heading(db: Session) -> None:
    run = receive(db, "姓名,性别,,空列,\n王一,女,13800138000,,\n")
    first = files.first_rows(db, run)
    assert columns.without_field(run, first) == [(1, "性别"), (2, ""), (3, "空列")]
    choices.remap(db, run, {"name": 0, "phone": 2})
    assert columns.without_field(run, first) == [(1, "性别"), (3, "空列")]
    assert columns.without_field(run, []) == [(1, "性别"), (3, "空列")]  # after the file was erased


def test_headings_and_meanings_are_remembered_for_the_user(db: Session, make: Make) -> None:
    scope = Scope(everything=True, user_id=make.user(Role.CITY_ADMINISTRATOR).id)
    run = receive(db, "谁,怎么找\n王一,13800138000\n", scope=scope)
    choices.remap(db, run, {"name": 0, "phone": 1, "nothing": 0, "host": 7}, {"迟到": "all", "旷工": "nonsense"})
    assert (run.mapping, run.meanings) == ({"name": 0, "phone": 1}, {"迟到": "all"})
    again = receive(db, "填表,\n怎么找,谁\n13800138000,王一\n", scope=scope)
    assert (again.head_line, again.mapping) == (2, {"name": 1, "phone": 0})
    assert columns.remembered(db, again).meanings["迟到"] == "all"
    choices.remap(db, again, again.mapping, {"迟到": ""})
    assert "迟到" not in columns.remembered(db, again).meanings
    assert columns.remembered(db, receive(db, "姓名\n王一\n")).headings == {}


def test_required_fields_without_a_column_are_missing(db: Session) -> None:
    run = receive(db, "名称,区\n第五小学,东城区\n", kind="organisations")
    assert [column.name for column in columns.missing(run)] == ["sector"]
