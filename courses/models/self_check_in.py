"""Self check-in: the key behind a session's rotating code, and what a scan of the code gives a browser."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import crypto
from lms.core.db import Base

KEY = "check_in_key.key"


class CheckInKey(Base):
    """The key of one session's code, sealed. It is there while the code is shown, and dies with the session.

    `ref` changes with each key: the seal binds to it, and it tells a display that its codes belong to a key that is gone.
    """

    __tablename__ = "check_in_key"

    course_session_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    ref: Mapped[UUID] = mapped_column(default=uuid4)
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    @property
    def key(self) -> bytes:
        """The key, opened."""
        return bytes.fromhex(crypto.cipher().decrypt(KEY, self.ref, self.key_sealed))

    @key.setter
    def key(self, value: bytes) -> None:
        self.ref = uuid4()
        self.key_sealed = crypto.cipher().encrypt(KEY, self.ref, value.hex())


class CheckInClaim(Base):
    """One scan: a browser may check one person in, once, until `expires_at`. Kept until the session closes.

    `id` is also the id of the check-in event, so that sending the form twice checks in once. `token_hash` and
    `browser_hash` are SHA-256 of random texts in two cookies; the second is salted with the session, so that nobody can
    follow a browser from one session to the next. `enrolment_id` stays empty where the person was not on the list.
    """

    __tablename__ = "check_in_claim"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    course_session_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    used_at: Mapped[datetime | None]
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"), index=True)

    __table_args__ = (
        Index("ix_check_in_claim_browser", "course_session_id", "browser_hash"),
        CheckConstraint("enrolment_id IS NULL OR used_at IS NOT NULL", name="used"),
        CheckConstraint("tries >= 0", name="tries"),
    )


class SpotCheck(Base):
    """The heads that were counted when a session closed to which people had checked themselves in.

    expected: how many should have been in the room by the list and the headcount. `reason` says why the two differ.
    """

    __tablename__ = "spot_check"

    course_session_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    counted: Mapped[int]
    expected: Mapped[int]
    by_self: Mapped[int]
    reason: Mapped[str | None]
    counted_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        CheckConstraint("counted BETWEEN 0 AND 100000", name="counted"),
        CheckConstraint("counted = expected OR reason IS NOT NULL", name="reason"),
    )
