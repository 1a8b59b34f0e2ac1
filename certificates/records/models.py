"""Tables of the sealed records: the blocks, and the offset of the transaction numbers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, Text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class RecordBlock(Base):
    """A sealed block: a run of consecutive rows of one table of record. It is itself never altered.

    The block begins where the block before it ends. `to_number` is the transaction number below which all rows belong
    to it; where `to_key` is set, the block ends with the row of this transaction number and key. `columns` are the
    table's columns when the block was sealed. `digest` is the SHA-256 of the rows and of the block before.
    `document` is the signed statement that is published, and `leaves` name each row (`certificates.records.leaves`).
    """

    __tablename__ = "record_block"

    record_table: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_number: Mapped[int]
    from_key: Mapped[str | None]
    to_number: Mapped[int]
    to_key: Mapped[str | None]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    row_count: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime]
    kid: Mapped[str]
    document: Mapped[str]
    leaves: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)

    __table_args__ = (
        CheckConstraint("number > 0 AND row_count >= 0 AND to_number >= from_number", name="range"),
        CheckConstraint("octet_length(digest) = 32 AND octet_length(previous_digest) = 32", name="lengths"),
    )


class RecordNumbering(Base):
    """The offset between the server's transaction counter and the numbers in the tables of record: one row.

    The defaults of the columns hold the same number. `lms.core.records.continue_numbers` changes both.
    """

    __tablename__ = "record_numbering"

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    number_offset: Mapped[int]

    __table_args__ = (CheckConstraint("single", name="single"),)
