"""Column types that all models share."""

from enum import StrEnum

import pytest
from sqlalchemy import Connection, Text, bindparam, cast, select
from sqlalchemy.exc import StatementError

from lms.core.db import Base, EnumText


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def test_an_enum_is_text_in_the_database_and_its_own_member_in_python(connection: Connection) -> None:
    value = bindparam("value", type_=EnumText(Colour))
    statement = select(cast(cast(value, Text), EnumText(Colour)), cast(value, Text))
    assert connection.execute(statement, {"value": Colour.RED}).one() == (Colour.RED, "red")
    assert connection.execute(statement, {"value": Colour.RED}).one()[0] is Colour.RED
    assert connection.execute(statement, {"value": None}).one() == (None, None)


def test_a_text_that_is_no_member_is_an_error(connection: Connection) -> None:
    with pytest.raises((StatementError, ValueError)):
        connection.execute(select(cast(cast("blue", Text), EnumText(Colour)))).one()


def test_every_constraint_has_a_name() -> None:
    unnamed = [
        f"{table.name}: {constraint}"
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert unnamed == []
