"""Merges: two records of one person become one, and pairs of records that may be of one person."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.trainees import Trainee
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.db import Base, Identifier
from lms.core.errors import N_

FORMER_COLUMN = "trainee_merge.former"


class TraineeMerge(Base):
    """A merge of two records of one person: what belonged to `merged` belongs to `kept` until the merge is undone.

    `former_sealed` holds the facts of both records before the merge, as far as it changed them, encrypted. It is null when
    the person's data was erased; the merge can then no longer be undone. Rows are never deleted: `id` grows with every
    merge, and `undone_at` is set by an undo, so whoever keeps counts of people can see that people changed.
    """

    __tablename__ = "trainee_merge"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    kept_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str | None]
    former_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    merged_at: Mapped[datetime] = mapped_column(default=clock.now)
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    kept: Mapped[Trainee] = relationship(foreign_keys=[kept_id])
    merged: Mapped[Trainee] = relationship(foreign_keys=[merged_id])

    __table_args__ = (
        Index("uq_trainee_merge_open", "merged_id", unique=True, postgresql_where="undone_at IS NULL"),
        CheckConstraint("kept_id <> merged_id", name="other"),
        CheckConstraint("undone_at IS NOT NULL OR undone_by IS NULL", name="undone"),
    )

    def set_former(self, former: Mapping[str, Any]) -> None:
        """Encrypt the facts of both records as they were before the merge."""
        if self.ref is None:
            self.ref = uuid4()
        self.former_sealed = crypto.cipher().encrypt(FORMER_COLUMN, self.ref, json.dumps(former, ensure_ascii=False))

    def former(self) -> dict[str, Any] | None:
        """The facts of both records before the merge; None where they were erased."""
        if self.former_sealed is None:
            return None
        former: dict[str, Any] = json.loads(crypto.cipher().decrypt(FORMER_COLUMN, self.ref, self.former_sealed))
        return former


class TraineeMergeRow(Base):
    """A row that a merge changed, with the former values of the changed columns, by column name."""

    __tablename__ = "trainee_merge_row"

    merge_id: Mapped[int] = mapped_column(ForeignKey("trainee_merge.id", ondelete="CASCADE"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    former: Mapped[dict[str, Any]] = mapped_column(JSONB)


class TraineePair(Base):
    """Two records that may be of one person, with the reasons for it.

    `first_id` is the lower id. The nightly search writes the row; `apart_at` is set when somebody decides that the records are
    of two people, and the search leaves such a pair alone.
    """

    __tablename__ = "trainee_pair"

    first_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), primary_key=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), primary_key=True, index=True)
    reasons: Mapped[list[str]] = mapped_column(JSONB)
    weight: Mapped[int] = mapped_column(SmallInteger)
    found_at: Mapped[datetime] = mapped_column(default=clock.now)
    apart_at: Mapped[datetime | None]
    apart_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    first: Mapped[Trainee] = relationship(foreign_keys=[first_id])
    second: Mapped[Trainee] = relationship(foreign_keys=[second_id])

    __table_args__ = (
        CheckConstraint("first_id < second_id", name="order"),
        CheckConstraint("apart_at IS NOT NULL OR apart_by IS NULL", name="apart"),
    )


Index(
    "ix_trainee_pair_open",
    TraineePair.weight.desc(),
    TraineePair.first_id,
    TraineePair.second_id,
    postgresql_where=TraineePair.apart_at.is_(None),
)
register_refusal("uq_trainee_merge_open", "already_merged", N_("This record has already been merged."))
register_refusal(
    "ck_trainee_merge_chain",
    "merge_chain",
    N_("One of the records is part of another merge. Merge into the record that was kept, or undo that merge first."),
)
register_refusal(
    "ck_enrolment_person_merged",
    "person_merged",
    N_("This record was merged into another one in the meantime. Look for the person again."),
)
