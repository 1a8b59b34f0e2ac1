"""The declarative base of all models, and the column types that they share."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column

from lms.core.engine import make_engine as make_engine  # TEMP
from lms.core.transactions import commit as commit, make_sessions as make_sessions, transaction as transaction  # TEMP

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Identifier = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]


class Word(TypeDecorator[StrEnum]):
    """A word of a fixed list: text in the database, the list's own member in Python, so that `is` tells the truth."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, _dialect: object) -> str | None:
        """The word itself; which words may stand in a column, its check constraint says."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: object) -> StrEnum | None:
        """The member."""
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """The parent of every table; constraints are named by one rule, so that errors and migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}
