"""Rosters of the kinds that offices send, each with its right outcome, as CSV and as XLSX where both can hold it."""

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import sheet_import
from courses.enrolment.sheet import Column
from courses.enrolment.sheet_import import Preview, RowVerdict
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.exports import Format
from lms.core.scope import EVERYTHING
from tests.courses.enrolment.sheets import book_of, previewed, receive, written, xlsx_of
from tests.factories import Make

TODAY = clock.branch_today()
BOTH = pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])


def names(preview: Preview) -> dict[int, str]:
    """The names of the accepted people by the numbers of their rows."""
    return {row.number: row.facts.name for row in preview.accepted if row.facts}


def problems(preview: Preview) -> dict[int, str | None]:
    """The facts at fault by the numbers of the rejected rows."""
    return {row.number: row.problem.column for row in preview.rejected if row.problem}


@BOTH
def test_one_person_whose_dots_are_written_in_many_ways_is_one(form: Format, db: Session, make: Make) -> None:
    dots = ["·", "•", "・", "‧", "∙", "⋅", "．", ".", "。", "･", "●", "-", "—", ""]
    rows = [["姓名", "手机"], *([f"阿凡提{dot}买买提", "13800139100"] for dot in dots)]
    preview = previewed(db, make, written(form, rows))
    assert names(preview) == {2: "阿凡提·买买提"}
    assert {row.verdict for row in preview.rejected} == {RowVerdict.DOUBLE}
    assert len(preview.rejected) == len(dots) - 1


@BOTH
def test_names_are_stored_as_one_sees_them_and_empty_ones_are_refused(form: Format, db: Session, make: Make) -> None:
    typed = {
        "寅\u200b一": "寅一", "寅二\u2066": "寅二", "\u202e三寅": "三寅", "寅　五": "寅 五", "寅\u00ad六": "寅六",
        "=寅七": "=寅七", "O'Brien": "O'Brien", "寅\U000e0041九": "寅九", "José Núñez": "José Núñez", "ليلى حسن": "ليلى حسن",
        "寅": "寅",
    }  # fmt: skip
    nothing = ["\u3164", "\u2800", "\u200b\u2066", " "]
    rows = [["姓名", "手机"], *([name, f"138001390{number:02d}"] for number, name in enumerate([*typed, *nothing]))]
    preview = previewed(db, make, written(form, rows))
    assert list(names(preview).values()) == list(typed.values())
    assert set(problems(preview).values()) == {"name"}
    assert len(preview.rejected) == len(nothing)


def test_full_width_digits_decimals_and_country_codes_are_read(db: Session, make: Make) -> None:
    lines = [
        "姓名　,手机号码,身份证号",
        " 卯一　,１３８００１３９２０１,１１０１０１１９９００１０１０３１４",
        "卯二,138-0013-9202,", "卯三,+86 138 0013 9203,", "卯四,'13800139204,", "卯五,0086-13800139205,",
        "卯六,13800139206/13800139207,", "卯七,13800139208.0,",
    ]  # fmt: skip
    content = "\r\n".join(lines).encode("gb18030")
    preview = previewed(db, make, content)
    phones = {row.number: row.facts.phone for row in preview.accepted if row.facts}
    assert phones == {row: f"+86138001392{row - 1:02d}" for row in (3, 4, 5, 6, 8)} | phones
    assert phones[8] == "+8613800139208"
    assert problems(preview).get(7) == "phone"
    assert set(problems(preview)) <= {2, 7}


def test_headings_over_two_rows_and_a_signature_below(db: Session, make: Make) -> None:
    content = xlsx_of(
        ["姓名", "手机", "证件", ""],
        ["", "", "证件类型", "证件号码"],
        ["辛三", "13800138503", "身份证", "110105199101010130"],
        ["", "", "", ""],
        ["负责人签字：", "", "", ""],
        ["合计", "1", "", ""],
    )
    preview = previewed(db, make, content)
    assert [row.number for row in preview.rows] == [3]
    assert preview.rows[0].cells["id_number"] == "110105199101010130"
    assert [(note.line, note.text) for note in preview.source.notes] == [(5, "负责人签字："), (6, "合计 1")]


def test_two_lists_on_two_sheets_are_asked_about(db: Session, make: Make) -> None:
    people = {"说明": [["请在一班、二班中填写"]], "一班": [["姓名", "手机"], ["丑六", "13800138907"]]}
    people |= {"二班": [["姓名", "手机", "性别"], ["丑七", "13800138908", "男"], ["丑八", "13800138909", "女"]]}
    pending = receive(db, make, book_of(people | {"旧": [["姓名", "手机"], ["旧人", "13800138900"]]}, hidden=["旧"]))
    source = sheet_import.preview(db, pending, EVERYTHING).source
    assert source.must_choose
    assert [(choice.name, choice.hidden, choice.people) for choice in source.sheets] == [
        ("说明", False, None), ("一班", False, 1), ("二班", False, 2), ("旧", True, 1),
    ]  # fmt: skip
    with pytest.raises(sheet_import.ChangedElsewhere):
        sheet_import.apply(db, pending, EVERYTHING)
    assert sheet_import.choose_sheet(db, pending, "二班", hidden=False, today=TODAY)
    preview = sheet_import.preview(db, pending, EVERYTHING)
    assert names(preview) == {2: "丑七", 3: "丑八"}
    assert preview.source.unkept == [Column("C", "性别")]
    assert [choice.name for choice in preview.source.unread_sheets] == ["说明", "一班", "旧"]
    assert sheet_import.apply(db, pending, EVERYTHING).enrolled == 2


def test_a_list_on_a_hidden_sheet_alone_is_not_read_without_asking(db: Session, make: Make) -> None:
    content = book_of({"封面": [["名单见第二页"]], "名单": [["姓名", "手机"], ["甲", "13800138001"]]}, hidden=["名单"])
    pending = receive(db, make, content)
    source = sheet_import.preview(db, pending, EVERYTHING).source
    assert source.must_choose
    assert sheet_import.choose_sheet(db, pending, "名单", hidden=False, today=TODAY)
    assert names(sheet_import.preview(db, pending, EVERYTHING)) == {2: "甲"}
    with pytest.raises(DomainError, match="No headings"):
        receive(db, make, book_of({"封面": [["名单见第二页"]], "其他": [["日期", "金额"]]}))


def test_the_only_visible_list_is_read_and_what_is_hidden_is_named(db: Session, make: Make) -> None:
    visible = [
        ["姓名", "手机", "出生年份"],
        ["甲", "13800138001", "1990"],
        ["乙", "13800138002", "1991"],
        ["丙", "13800138003", ""],
    ]
    sheets = {"去年": [["姓名", "手机"], ["旧人", "13800138900"]], "名单": visible}
    content = book_of(sheets, hidden=["去年"], hidden_rows={"名单": [2]}, hidden_columns={"名单": [2]})
    pending = receive(db, make, content)
    preview = sheet_import.preview(db, pending, EVERYTHING)
    assert names(preview) == {2: "甲", 4: "丙"}
    assert preview.source.hidden_rows == [(3, 3)]
    assert preview.source.hidden_columns == ["C"]
    assert [(choice.name, choice.hidden) for choice in preview.source.unread_sheets] == [("去年", True)]
    assert sheet_import.choose_sheet(db, pending, "名单", hidden=True, today=TODAY)
    preview = sheet_import.preview(db, pending, EVERYTHING)
    assert names(preview) == {2: "甲", 3: "乙", 4: "丙"}
    assert preview.accepted[0].facts is not None
    assert preview.accepted[0].facts.birth_year == 1990
    assert preview.source.with_hidden


def test_a_cell_at_the_last_row_costs_nothing(db: Session, make: Make) -> None:
    rows: list[list[object]] = [["姓名", "手机"], ["甲", "13800138001"]]
    content = book_of({"名单": rows}, far={"名单": (1_048_575, 0, "x")})
    preview = previewed(db, make, content)
    assert names(preview) == {2: "甲"}
    assert [row.number for row in preview.rejected] == [1_048_576]


def test_excels_unicode_text_is_read_and_excel_97_refused_in_words(db: Session, make: Make) -> None:
    content = "姓名\t手机\r\n甲\t13800138301\r\n乙\t13800138302\r\n".encode("utf-16")
    assert names(previewed(db, make, content)) == {2: "甲", 3: "乙"}
    with pytest.raises(DomainError) as refused:
        receive(db, make, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    assert refused.value.code == "file_old"


@BOTH
def test_a_title_full_of_commas_and_remarks_over_several_lines(form: Format, db: Session, make: Make) -> None:
    rows = [
        ["急救培训报名表，请如实填写，谢谢；有问题，请联系我们"],
        ["序号", "姓名", "手机", "备注"],
        ["1", "甲", "13800138001", "素食，\n过敏"],
        ["2", "乙", "NULL", ""],
        ["3", "丙", "13800138003", ""],
        ["4", "", "", ""],
    ]
    preview = previewed(db, make, written(form, rows))
    assert names(preview) == {3: "甲", 5: "丙"}
    assert problems(preview) == {4: "phone"}
    assert preview.source.unkept == [Column("A", "序号"), Column("D", "备注")]


def test_headings_that_are_repeated_on_each_page_are_no_people(db: Session, make: Make) -> None:
    heading = ["姓名", "手机"]
    preview = previewed(db, make, xlsx_of(heading, ["甲", "13800138001"], heading, ["乙", "13800138002"]))
    assert names(preview) == {2: "甲", 4: "乙"}
    assert [note.line for note in preview.source.notes] == [3]
