"""The parts of a workbook beside its cells, and workbooks whose parts lead nowhere or hold too much."""

import zipfile

import pytest

from lms.core import sheet_archive
from lms.core.errors import DomainError
from lms.core.sheet_archive import SheetPart, Workbook
from lms.core.sheet_cells import Limits
from tests.lms.core.workbooks import members, packed, relationships

SHARED = (
    "<si><t>姓名</t></si><si><r><rPr><b/></rPr><t>张</t></r><r><t xml:space='preserve'> 三 </t></r></si>"
    "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh><phoneticPr fontId='1'/></si>"
    "<si>\n  <t>a_x000D_b_x4E00__xD83D__xDE00_</t>\n</si><si/>"
)
STYLES = (
    "<numFmts><numFmt numFmtId='176' formatCode='00000'/></numFmts><cellStyleXfs><xf numFmtId='10'/></cellStyleXfs>"
    "<cellXfs><xf numFmtId='0'/><xf numFmtId='176'/><xf numFmtId='14'/></cellXfs><cellStyles><cellStyle/></cellStyles>"
)


def test_shared_texts_are_put_together_without_their_readings() -> None:
    book = Workbook(packed(members("", shared=SHARED)), Limits())
    assert book.texts == ["姓名", "张 三", "東京", "a b一_xD83D__xDE00_", ""]


def test_each_style_has_its_format() -> None:
    book = Workbook(packed(members("", styles=STYLES)), Limits())
    assert [made.number("43267") for made in book.formats] == ["43267", "43267", "2018-06-16"]
    assert book.formats[1].number("5") == "00005"


def test_days_may_be_counted_from_1904() -> None:
    parts = members("", styles=STYLES)
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert Workbook(packed(parts), Limits()).formats[2].number("41805") == "2018-06-16"


@pytest.mark.parametrize(
    "target",
    ["/xl/worksheets/sheet1.xml", "../xl/worksheets/sheet1.xml", "worksheets\\Sheet1.xml", "./worksheets/sheet1.xml"],
)
def test_a_part_is_found_however_it_is_referred_to(target: str) -> None:
    parts = members("")
    parts["xl/_rels/workbook.xml.rels"] = relationships(("worksheet", target))
    [sheet] = Workbook(packed(parts), Limits()).sheets
    assert sheet.name == "一"


@pytest.mark.parametrize(
    "target", ["../../etc/passwd", "/etc/passwd", "worksheets/none.xml", "http://example.org/x", ""]
)
def test_a_reference_out_of_the_archive_leads_nowhere(target: str) -> None:
    parts = members("")
    parts["xl/_rels/workbook.xml.rels"] = relationships(("worksheet", target))
    assert Workbook(packed(parts), Limits()).sheets == []


def test_hidden_sheets_are_told_and_sheets_of_charts_are_none() -> None:
    parts = members("")
    parts["xl/_rels/workbook.xml.rels"] = relationships(
        *[("worksheet", "worksheets/sheet1.xml")] * 3, ("chartsheet", "worksheets/sheet1.xml")
    )
    states = ("visible", "hidden", "veryHidden", "visible")
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" state="{s}" r:id="rId{n}"/>' for n, s in enumerate(states, 1))
    parts["xl/workbook.xml"] = f'<workbook xmlns:r="x"><sheets>{sheets}</sheets></workbook>'
    member = "xl/worksheets/sheet1.xml"
    assert Workbook(packed(parts), Limits()).sheets == [
        SheetPart("1", hidden=False, member=member),
        SheetPart("2", hidden=True, member=member),
        SheetPart("3", hidden=True, member=member),
    ]


@pytest.mark.parametrize("missing", ["_rels/.rels", "xl/workbook.xml"])
def test_a_workbook_without_its_root_is_refused(missing: str) -> None:
    parts = members("")
    del parts[missing]
    with pytest.raises(DomainError) as refused:
        Workbook(packed(parts), Limits())
    assert refused.value.code == "file_broken"


@pytest.mark.parametrize(
    ("member", "text", "code"),
    [
        ("xl/sharedStrings.xml", "<!DOCTYPE sst [<!ENTITY a 'aa'>]><sst><si><t>&a;</t></si></sst>", "file_broken"),
        ("xl/sharedStrings.xml", "<sst>" + "<si/>" * 11 + "</sst>", "file_too_long"),
        ("xl/sharedStrings.xml", "<sst><si>", "file_broken"),
        ("xl/workbook.xml", "<workbook>" + "<a>" * 5000, "file_broken"),
        ("xl/theme.xml", " " * 200_000, "file_bomb"),
    ],
)
def test_parts_that_attack_are_refused(member: str, text: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        Workbook(packed(members("") | {member: text}), Limits(unpacked_bytes=100_000, cells=10))
    assert refused.value.code == code


def test_no_more_of_a_member_is_unpacked_than_the_archive_says() -> None:
    content = packed(members("") | {"xl/sharedStrings.xml": "<sst>" + " " * 300_000 + "</sst>"})
    size, lie = (300_011).to_bytes(4, "little"), (50).to_bytes(4, "little")
    assert content.count(size) == 2
    with pytest.raises((DomainError, zipfile.BadZipFile)):
        Workbook(content.replace(size, lie), Limits(unpacked_bytes=10_000))


def test_an_archive_of_thousands_of_members_is_refused() -> None:
    parts = {str(number): "" for number in range(sheet_archive.MEMBERS + 1)}
    with pytest.raises(DomainError) as refused:
        Workbook(packed(parts), Limits())
    assert refused.value.code == "file_too_long"
