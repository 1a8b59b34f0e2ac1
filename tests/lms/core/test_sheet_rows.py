"""The rows of a sheet from its XML: the kinds of cells, places, and empty cells, which are not read."""

import time

import pytest

from lms.core.errors import DomainError
from lms.core.sheet_cells import Limits
from lms.core.sheet_formats import compiled
from lms.core.sheet_rows import SheetReader, SheetRow

FORMATS = [compiled(""), compiled("00000"), compiled("yyyy-mm-dd"), compiled('0;0;0;"京"@')]


def read(xml: str, *, size: int = 1 << 17, before: str = "", limits: Limits | None = None) -> list[SheetRow]:
    """The rows of a sheet whose XML comes in pieces of some size."""
    content = f"<worksheet>{before}<sheetData>{xml}</sheetData><x/></worksheet>".encode()
    reader = SheetReader(["姓名", "张三"], FORMATS, limits or Limits())
    return list(reader.rows(content[start : start + size] for start in range(0, len(content), size)))


def texts(cells: str) -> list[str]:
    return [text for row in read(f'<row r="1">{cells}</row>') for text in row.texts.values()]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="s"><v>1</v></c>', "张三"),
        ("<c><v>7.50</v></c>", "7.5"),
        ('<c s="1"><v>12</v></c>', "00012"),
        ('<c s="2" t="n"><v>43267</v></c>', "2018-06-16"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="str"><f>"王"&amp;"明"</f><v>王明</v></c>', "王明"),
        ('<c s="1"><f>1+1</f><v>2</v></c>', "00002"),
        ('<c t="d"><v>2018-06-16T09:20:00</v></c>', "2018-06-16 09:20"),
        ('<c t="inlineStr"><is><t>张</t></is></c>', "张"),
        ('<c t="inlineStr"><is>\n<r><t>张</t></r>\n<r><t>三</t></r><rPh><t>ちょう</t></rPh></is></c>', "张三"),
        ('<c s="3" t="s"><v>0</v></c>', "京姓名"),
        ('<x:c xmlns:x="y"><x:v>5</x:v></x:c>', "5"),
        ("<c><v><![CDATA[5]]></v></c>", "5"),
        ("<c><f>B2+1</f></c>", "#=B2+1"),
        ('<c t="s"><f>B2</f><v/></c>', "#=B2"),
        ('<c t="inlineStr"><is><t>\'t Hooft</t></is></c>', "'t Hooft"),
    ],
)
def test_a_cell_is_read_as_a_person_sees_it(cell: str, text: str) -> None:
    assert texts(cell) == [text]


@pytest.mark.parametrize(
    "cell", ["<c/>", "<c><v/></c>", "<c><v> </v></c>", '<c t="s"><v/></c>', '<c t="str"><f>IF(1,"")</f><v></v></c>']
)
def test_a_cell_without_a_value_is_empty(cell: str) -> None:
    assert texts(cell) == []


def test_without_formats_all_numbers_are_general() -> None:
    reader = SheetReader([], [], Limits())
    xml = b'<worksheet><sheetData><row><c s="0"><v>7.50</v></c></row></sheetData></worksheet>'
    assert [row.texts for row in reader.rows([xml])] == [{0: "7.5"}]


def test_many_empty_cells_before_one_written_otherwise_take_no_longer_than_others() -> None:
    cells = "".join(f'<c r="A1" s="{number}"/>' for number in range(99_999))
    began = time.process_time()
    assert read(f'<row r="1">{cells}<c s="1" r="B1"><v>1</v></c></row>')[0].texts == {1: "00001"}
    assert time.process_time() - began < 2


SHEET = (
    '<row r="1"><c r="A1" s="1"/><c r="B1"><v>1</v></c><c r="C1" s="1"></c></row><row r="2" spans="1:3" ht="15" x14:d="0.2"/>'
    '<row r="3" hidden="1"><c r="A3" s="1"/></row><row r="7" hidden="1"><c r="A7" s="1"/><c r="XFD7"><v>2</v></c></row>'
    '<row r="8" ht="0" customHeight="1"><c r="A8"><v>3</v></c></row><row r="1048576"><c r="B1048576"/></row>'
)


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 17])
def test_what_is_empty_is_cut_out_wherever_pieces_end(size: int) -> None:
    assert read(SHEET, size=size) == [
        SheetRow(1, hidden=False, texts={1: "1"}),
        SheetRow(7, hidden=True, texts={16_383: "2"}),
        SheetRow(8, hidden=True, texts={0: "3"}),
    ]


def test_rows_and_cells_that_do_not_say_their_places_follow_one_another() -> None:
    xml = (
        '<row/><row><c/><c><v>1</v></c></row><row r="9"/><row r="10"/><row><c r="C11"><v>2</v></c><c><v>3</v></c></row>'
    )
    assert read(xml) == [SheetRow(2, hidden=False, texts={1: "1"}), SheetRow(11, hidden=False, texts={2: "2", 3: "3"})]
    assert read('<row><c r="B7"><v>1</v></c></row>') == [SheetRow(7, hidden=False, texts={1: "1"})]


def test_what_looks_like_an_empty_cell_in_a_text_stays() -> None:
    cell = '<c r="A1" t="inlineStr"><is><t><![CDATA[<c r="B1"/><c r="C1">]]></t></is></c>'
    [row] = read(f'<row r="1">{cell}</row><row r="2"/><row r="3"><c r="A3"><v>1</v></c></row>', size=50)[:1]
    assert row.texts == {0: '<c r="B1"/><c r="C1">'}


def test_columns_may_be_hidden() -> None:
    reader = SheetReader([], FORMATS, Limits())
    cols = (
        '<cols><col min="1" max="2" width="9"/><col min="3" max="4" hidden="1"/><col min="7" max="7" width="0"/></cols>'
    )
    list(reader.rows([f"<worksheet>{cols}<sheetData/></worksheet>".encode()]))
    assert reader.hidden_columns == {2, 3, 6}


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A2"><v>1</v></c></row>',
        '<row r="1"><c r="1A"><v>1</v></c></row>',
        '<row r="x"/>',
        '<row r="1"><c s="9"><v>1</v></c></row>',
        '<row r="1"><c t="s"><v>-1</v></c></row>',
        '<row r="1"><c t="s"><v>2</v></c></row>',
        '<row r="1"><c t="b"><v>2</v></c></row>',
        '<row r="1"><c><v>zwei</v></c></row>',
        '<row r="1"><c><v>1</v></c>',
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(xml: str) -> None:
    with pytest.raises(DomainError) as refused:
        read(xml)
    assert refused.value.code == "file_broken"


def test_cells_that_hold_something_are_counted_and_no_others() -> None:
    full = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}"/></row>' for n in range(1, 12))
    assert len(read(full, limits=Limits(cells=11))) == 11
    with pytest.raises(DomainError) as refused:
        read(full, limits=Limits(cells=10))
    assert refused.value.code == "file_too_long"
