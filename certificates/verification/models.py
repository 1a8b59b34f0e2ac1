"""Tables of verification: long lists of strangers, which the worker verifies piece by piece."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, Identifier

SOURCE_COLUMN, ITEMS_COLUMN, ANSWERS_COLUMN = "list_check.source", "list_check_piece.items", "list_check_piece.answers"


class ListCheck(Base):
    """A list that the worker verifies. Only the hash of its token is stored, so that nobody who reads the table can open it.

    size: the number of its items. source: headings and sheet of the file, sealed.
    """

    __tablename__ = "list_check"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(default=uuid4)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    size: Mapped[int]
    source: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("size > 0", name="size"),
        Index("ix_list_check_made_at", "made_at"),
    )


class ListCheckPiece(Base):
    """A piece of a list, numbered from 0: its items and, once the worker verified them, their answers, both sealed."""

    __tablename__ = "list_check_piece"

    check_id: Mapped[int] = mapped_column(ForeignKey("list_check.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    items: Mapped[bytes] = mapped_column(LargeBinary)
    answers: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("number >= 0", name="number"),
        Index("ix_list_check_piece_waiting", "number", "check_id", postgresql_where="answers IS NULL"),
    )

    @staticmethod
    def binding(ref: UUID, number: int) -> str:
        """The reference by which items and answers are bound to their list and their place in it."""
        return f"{ref}:{number}"
