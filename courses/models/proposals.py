"""Proposals: changes of a person's record that somebody asks for who may not make them."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, false, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.trainees import Trainee
from lms.core import clock, crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope

COLUMN = "proposal.content"


class ProposalState(StrEnum):
    """The state of a proposal.

    open: nobody has decided yet. accepted: the record was changed. refused: the record stays. withdrawn: the user who made
    the proposal took it back.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Decider(StrEnum):
    """The two sides that can decide a proposal.

    staff: the city, or an administrator of the person's own district. person: the person, signed in or by a code that was
    sent to a proven contact of the record.
    """

    STAFF = "staff"
    PERSON = "person"


class Proposal(Base):
    """A proposed change of a person's record.

    `fact_names` are the names of the facts that would change. `content` holds their values when the proposal was made and
    the proposed ones, encrypted. `conflict`: the proposal came from an ID number that was entered with another name than
    the record's; whoever made it may not see the record. `by_person`: the person asked for it; `proposed_by` is null then where
    the person has no account.
    """

    __tablename__ = "proposal"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    trainee_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), index=True)
    fact_names: Mapped[list[str]] = mapped_column(JSONB)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    conflict: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str]
    state: Mapped[ProposalState] = mapped_column(EnumText(ProposalState), default=ProposalState.OPEN)
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    by_person: Mapped[bool] = mapped_column(default=False, server_default=false())
    proposed_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None]
    decider: Mapped[Decider | None] = mapped_column(EnumText(Decider))
    answer: Mapped[str | None]

    trainee: Mapped[Trainee] = relationship()

    __table_args__ = (
        Index("ix_proposal_open", "id", postgresql_where="state = 'open'"),
        CheckConstraint("state IN ('open', 'accepted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("decider IN ('staff', 'person')", name="decider"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decider IS NULL OR state IN ('accepted', 'refused')", name="decider_state"),
        CheckConstraint("by_person OR proposed_by IS NOT NULL", name="by"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'withdrawn'", name="not_own"),
    )

    def set_values(self, old: Mapping[str, str | int | None], new: Mapping[str, str | int | None]) -> None:
        """Encrypt the values of the facts, as they are and as they are proposed."""
        if self.ref is None:
            self.ref = uuid4()
        text = json.dumps({"old": dict(old), "new": dict(new)}, ensure_ascii=False)
        self.fact_names = [name for name in new if name != "id_type"]
        self.content = crypto.cipher().encrypt(COLUMN, self.ref, text)

    def values(self) -> tuple[dict[str, str | int | None], dict[str, str | int | None]]:
        """The old and the proposed values, decrypted."""
        content = json.loads(crypto.cipher().decrypt(COLUMN, self.ref, self.content))
        return content["old"], content["new"]

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The proposals that the user made, and those about people whom a district of the scope registered."""
        if scope.everything:
            return scope.covers()
        of_district = cls.trainee_id.in_(select(Trainee.id).where(Trainee.district_id.in_(scope.district_ids)))
        return or_(cls.proposed_by == scope.user_id, of_district)
