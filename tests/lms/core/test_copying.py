"""COPY TO STDOUT: lines of CSV, joined, guarded against formulas, unsealed, and read back by type."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import BigInteger, Connection, Date, Numeric, Text, column, select, values

from lms.core import copying, exports
from lms.core.copying import Column, Kind, Table

ROWS = values(
    column("name", Text), column("count", BigInteger), column("share", Numeric), column("day", Date), name="facts"
).data([("=1+1", 7, 1.5, date(2025, 6, 1)), ('say "a,b"', 8, 2.5, None)])
TABLE = Table(
    [
        Column("name", Kind.TEXT, ROWS.c.name),
        Column("count", Kind.WHOLE, ROWS.c.count),
        Column("share", Kind.DECIMAL, ROWS.c.share),
        Column("day", Kind.DAY, ROWS.c.day),
    ],
    select(ROWS),
)


def test_lines_are_csv_and_a_formula_is_escaped_for_people(connection: Connection) -> None:
    lines = b"".join(copying.join_pieces(copying.copy_rows(connection, TABLE.for_csv())))
    assert lines.decode() == '\'=1+1,7,1.5,2025-06-01\n"say ""a,b""",8,2.5,\n'


def test_programs_get_the_text_itself_under_the_columns_names(connection: Connection) -> None:
    lines = b"".join(copying.join_pieces(copying.copy_rows(connection, TABLE.for_programs(), heading=True)))
    assert lines.decode().splitlines()[:2] == ["name,count,share,day", "=1+1,7,1.5,2025-06-01"]


def test_cells_have_the_types_of_their_columns(connection: Connection) -> None:
    cells = list(copying.typed_rows(copying.copy_rows(connection, TABLE.for_typed_cells()), TABLE.columns))
    assert cells == [["=1+1", 7, 1.5, date(2025, 6, 1)], ['say "a,b"', 8, 2.5, None]]


def test_the_last_column_is_unsealed(connection: Connection) -> None:
    sealed = values(column("name", Text), column("sealed", Text), name="sealed").data([("a,b", "x"), ("c", None)])
    lines = b"".join(copying.join_pieces(copying.copy_rows(connection, select(sealed), lambda text: text * 3)))
    assert lines == b'"a,b",xxx\nc,\n'


@pytest.mark.parametrize("text", ["=1", "  @a", "\tb", "张三", "abc", "-5", "＝１", "\u3000+1"])
def test_sql_and_python_escape_the_same(connection: Connection, text: str) -> None:
    one = values(column("text", Text), name="one").data([(text,)])
    assert connection.scalar(select(copying.escape_formula(one.c.text))) == exports.escape_formula(text)


def test_an_error_of_the_producer_comes_out_where_its_piece_would_have() -> None:
    def failing() -> Iterator[bytes]:
        yield b"first"
        raise ValueError("second")

    with copying.produce_ahead(failing()) as pieces:  # type: ignore[arg-type]
        assert next(pieces) == b"first"
        with pytest.raises(ValueError, match="second"):
            next(pieces)
