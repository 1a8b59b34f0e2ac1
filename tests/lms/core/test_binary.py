"""Rows in PostgreSQL's binary form."""

from sqlalchemy import LargeBinary, Text, column, select, values
from sqlalchemy.orm import Session

from lms.core import binary

CONTENTS = values(column("name", Text), column("content", LargeBinary), name="contents").data(
    [("张三", b"\x00\xff"), ("李四", b"")]
)


def test_rows_come_as_from_a_cursor(db: Session) -> None:
    statement = select(CONTENTS.c.name, CONTENTS.c.content).where(CONTENTS.c.name.in_(["张三", "李四"]))
    assert list(binary.rows(db, statement)) == [("张三", b"\x00\xff"), ("李四", b"")]


def test_the_driver_is_given_the_values_apart_from_the_statement() -> None:
    statement, parameters = binary.driver_statement(select(CONTENTS.c.content).where(CONTENTS.c.name == "张三"))
    assert "张三" not in statement
    assert "张三" in parameters.values()
