"""The declarative base of all models, and the column types that they share."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Identifier = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
LARGEST_ID = 2**63 - 1  # of a bigint column; a larger number in a request is not found, and no error of the database


class EnumText(TypeDecorator[StrEnum]):
    """A column of a `StrEnum`: text in the database, and the enum's member in Python, so that `is` can compare it."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, _dialect: object) -> str | None:
        """The member's value. The check constraint of the column says which values are allowed."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: object) -> StrEnum | None:
        """The member of the stored value."""
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """The parent of every model.

    Constraints are named by one convention, so that errors and migrations can name them.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}
