"""The rules that reader and parser of spreadsheets share: how cells are cleaned, and that refusals name the field."""

import pytest

from lms.core import sheet_cells


@pytest.mark.parametrize(
    ("cell", "cleaned"),
    [
        ("  a \u00a0 b ", "a b"),
        ("\u200bx\ufeff", "x"),
        ("字" * 600, "字" * sheet_cells.CELL_LENGTH),
        ("'138", "138"),
        ("'00123", "00123"),
        ("’１３８", "１３８"),
        ("'=1+1", "=1+1"),
        ("'+86 138", "+86 138"),
        ("'", ""),
        ('="00123"', "00123"),
        ('=A1&"00123"', '=A1&"00123"'),
        ('\'="x"', '="x"'),
        ("'t Hooft", "'t Hooft"),
        ("’t Hooft", "’t Hooft"),
        ("'张三'", "'张三'"),
        ("\u202a138\u202c\u2066\u00ad", "138"),
        ("138\u200d", "138"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_cell_is_cleaned(cell: str, cleaned: str) -> None:
    assert sheet_cells.clean(cell) == cleaned


def test_each_refusal_stands_at_the_field_of_the_file() -> None:
    refusals = [
        sheet_cells.broken(),
        sheet_cells.old(),
        sheet_cells.too_long(),
        sheet_cells.too_slow(),
        sheet_cells.too_wide(),
    ]
    assert {refusal.field for refusal in refusals} == {"file"}
    assert len({refusal.code for refusal in refusals}) == len(refusals)
