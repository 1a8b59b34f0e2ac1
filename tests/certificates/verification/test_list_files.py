"""Files with certificates to verify: which sheet and columns are read, the numbers of their rows, and what is told."""

import pytest

from certificates.verification import bulk, list_files
from certificates.verification.bulk import BulkItem
from lms.core.errors import DomainError
from lms.core.exports import Format
from tests.courses.enrolment.sheets import book_of, written

FIRST = BulkItem("BJ-FR-2026-0000123-C", "张三丰")


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_the_columns_are_those_of_the_headings_and_rows_keep_their_numbers(form: Format) -> None:
    rows = [
        ["持证人名单，请核验，谢谢"],
        ["序号", "姓名", "备注", "证书编号"],
        ["1", "张三丰", "第一行，\n第二行", "BJ-FR-2026-0000123-C"],
        ["", "", "", ""],
        ["2", "李四", "", "2.01611E+18"],
        ["3", "王五", "", "00160123"],
        ["4", "赵六", "", "#N/A"],
    ]
    read = list_files.read(written(form, rows))
    assert read.items == [
        FIRST,
        BulkItem("2.01611E+18", "李四"),
        BulkItem("00160123", "王五"),
        BulkItem("#N/A", "赵六"),
    ]
    assert [item.line for item in read.items] == [3, 5, 6, 7]
    assert [item.problem for item in read.items] == [None, bulk.SHORTENED, None, bulk.ERROR]


@pytest.mark.parametrize("separator", [",", "\t", ";", "，"])
def test_a_list_without_headings_is_read_by_its_first_two_columns(separator: str) -> None:
    lines = [f"BJ-FR-2026-0000123-C{separator}张三丰", f"BJ-FR-2026-0000124-A{separator}李四"]
    items = list_files.read("\n".join(lines).encode()).items
    assert items == [FIRST, BulkItem("BJ-FR-2026-0000124-A", "李四")]
    assert [item.line for item in items] == [1, 2]


def test_the_sheet_with_the_list_is_read_and_the_others_are_told() -> None:
    numbers = [["证书编号", "姓名"], ["BJ-FR-2026-0000123-C", "张三丰"]]
    content = book_of(
        {"说明": [["请勿修改 2026"]], "一班": numbers, "二班": [["证书编号"], ["BJ-FR-2026-0000124-A"]], "旧": numbers},
        hidden=["旧"],
    )
    read = list_files.read(content)
    assert read.items == [FIRST]
    assert (read.sheet, list(read.unread_sheets)) == ("一班", ["说明", "二班", "旧"])
    assert list_files.read(content, "二班").items == [BulkItem("BJ-FR-2026-0000124-A")]
    for name in ("三班", "旧"):
        with pytest.raises(DomainError) as refused:
            list_files.read(content, name)
        assert (refused.value.code, refused.value.field) == ("sheet_missing", "file")
