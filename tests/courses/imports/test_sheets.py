"""The sheet that an import reads: taken where one alone could be meant, else chosen; the rest of the file is named."""

import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import choices, files, kinds, runs, sheets
from courses.models.imports import ImportPiece, ImportRun
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.imports.workbooks import Cells, workbook

HEADINGS = ("名称", "区", "领域")
EAST: Cells = (HEADINGS, ("甲小学", "东城区", "学校"))
WEST: Cells = (HEADINGS, ("乙小学", "西城区", "学校"))
ADVICE: Cells = (("填表说明",), ("1. 名称要写全称，不要写简称",), ("2. 区按所属行政区填写",))

pytestmark = pytest.mark.usefixtures("app")


def receive(db: Session, content: bytes, **how: object) -> ImportRun:
    kind = kinds.kind_of("organisations")
    return runs.receive(db, kind, file=io.BytesIO(content), file_name="单位", scope=EVERYTHING, **how)  # type: ignore[arg-type]


def cells(db: Session, run: ImportRun) -> list[list[str]]:
    return [row[:3] for _line, row in files.rows(db, run, after=run.head_line)]


def test_a_sheet_of_instructions_before_the_list_does_not_stop_it(db: Session) -> None:
    run = receive(db, workbook({"说明": ADVICE, "名单": EAST}))
    assert (run.sheet_name, run.mapping) == ("名单", {"name_zh": 0, "district": 1, "sector": 2})
    assert cells(db, run) == [list(EAST[1])]
    assert sheets.skipped(run, sheets.outlines(db, run)).sheets == ["说明"]


def test_of_two_lists_the_user_chooses_and_nothing_is_checked_before(db: Session) -> None:
    run = receive(db, workbook({"东城": EAST, "西城": WEST}))
    assert (run.sheet_name, run.headings) == (None, [])
    assert not sheets.skipped(run, sheets.outlines(db, run))
    with pytest.raises(DomainError) as refused:
        runs.check(db, run)
    assert refused.value.code == "columns_missing"
    choices.choose_sheet(db, run, "西城", hidden=False)
    assert (cells(db, run), sheets.skipped(run, sheets.outlines(db, run)).sheets) == ([list(WEST[1])], ["东城"])
    assert [
        entry.after for entry in db.scalars(select(AuditEntry).where(AuditEntry.action == "import.choose_sheet"))
    ] == [{"sheet": "西城", "hidden": False}]
    choices.choose_sheet(db, run, "东城", hidden=False)  # and another one, as long as nothing is checked
    assert cells(db, run) == [list(EAST[1])]
    with pytest.raises(DomainError) as unknown:
        choices.choose_sheet(db, run, "南城", hidden=False)
    assert (unknown.value.code, unknown.value.field) == ("sheet_unknown", "sheet")


def test_a_hidden_sheet_is_named_and_read_only_when_it_is_chosen(db: Session) -> None:
    run = receive(db, workbook({"去年": WEST, "名单": EAST}, hidden=["去年"]))
    assert (run.sheet_name, cells(db, run)) == ("名单", [list(EAST[1])])
    assert sheets.skipped(run, sheets.outlines(db, run)).hidden_sheets == ["去年"]
    choices.choose_sheet(db, run, "去年", hidden=False)
    assert cells(db, run) == [list(WEST[1])]


def test_only_hidden_lists_leave_the_choice_to_the_user(db: Session) -> None:
    run = receive(db, workbook({"去年": WEST, "空表": ()}, hidden=["去年"]))
    assert run.sheet_name is None
    assert [(outline.name, outline.hidden) for outline in sheets.outlines(db, run)] == [("去年", True)]


def test_hidden_rows_and_columns_are_named_and_read_only_on_request(db: Session) -> None:
    rows: Cells = (
        (*HEADINGS, "英文名称"),
        *((f"第{number}小学", "东城区", "学校", "School") for number in range(1, 5)),
    )
    content = workbook({"名单": rows}, hidden_rows=[2, 3], hidden_columns=[3])
    run = receive(db, content)
    skipped = sheets.skipped(run, sheets.outlines(db, run))
    assert (skipped.rows, skipped.columns) == ([(3, 4)], ["D"])
    assert [line for line, _cells in files.rows(db, run)] == [1, 2, 5]
    assert "name_en" not in run.mapping
    choices.choose_sheet(db, run, "名单", hidden=True)
    assert not sheets.skipped(run, sheets.outlines(db, run))
    assert len(cells(db, run)) == 4
    assert run.mapping["name_en"] == 3
    assert receive(db, content, hidden=True).hidden


@pytest.mark.parametrize("kind", ["past", "organisations", "instructors", "opening_balances", "legacy_certificates"])
def test_every_kind_of_file_waits_for_the_choice_of_a_sheet(db: Session, kind: str) -> None:
    chosen = kinds.kind_of(kind)
    rows = ([column.zh for column in chosen.columns], [column.example for column in chosen.columns])
    content = workbook({"第一张": rows, "说明": ADVICE, "第二张": rows, "旧": rows}, hidden=["旧"])
    run = runs.receive(db, chosen, file=io.BytesIO(content), file_name="表", scope=EVERYTHING)
    assert run.sheet_name is None
    choices.choose_sheet(db, run, "第二张", hidden=False)
    assert set(run.mapping) == {column.name for column in chosen.columns}
    left = sheets.skipped(run, sheets.outlines(db, run))
    assert (left.sheets, left.hidden_sheets) == (["第一张", "说明"], ["旧"])
    alone = runs.receive(
        db, chosen, file=io.BytesIO(workbook({"说明": ADVICE, "表": rows})), file_name="表", scope=EVERYTHING
    )
    assert alone.sheet_name == "表"


def test_a_caller_may_name_the_sheet(db: Session) -> None:
    content = workbook({"东城": EAST, "西城": WEST})
    assert cells(db, receive(db, content, sheet="西城")) == [list(WEST[1])]
    for file, name in ((content, "南城"), ("名称,区,领域\n".encode(), "东城")):
        with pytest.raises(DomainError) as refused:
            receive(db, file, sheet=name)
        assert refused.value.field == "sheet"


def test_the_outlines_are_sealed(db: Session) -> None:
    run = receive(db, workbook({"东城": EAST, "西城": WEST}))
    content = db.scalars(
        select(ImportPiece.content).where(ImportPiece.run_id == run.id, ImportPiece.number == -2)
    ).one()
    assert "甲小学".encode() not in content


@pytest.mark.parametrize(("position", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_named_as_spreadsheets_name_them(position: int, letters: str) -> None:
    assert sheets.column_letters(position) == letters
