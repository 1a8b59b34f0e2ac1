"""Self check-in: the key of a session's rotating code, and the claim that a browser gets by scanning the code."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import crypto
from lms.core.db import Base

KEY_COLUMN = "check_in_key.key"


class CheckInKey(Base):
    """The encrypted key of one session's rotating code.

    It exists while the code is displayed, and is deleted with the session.

    `ref` changes with each key: the encryption is bound to it, and a display recognises by it that its codes were made
    with a key that has been replaced.
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
        """The key, decrypted."""
        return bytes.fromhex(crypto.cipher().decrypt(KEY_COLUMN, self.ref, self.key_sealed))

    @key.setter
    def key(self, value: bytes) -> None:
        self.ref = uuid4()
        self.key_sealed = crypto.cipher().encrypt(KEY_COLUMN, self.ref, value.hex())


class CheckInClaim(Base):
    """The right of a browser, won by one scan, to check one person in once until `expires_at`.

    Kept until the session closes.

    `id` is also the id of the check-in event, so that sending the form twice checks in once. `token_hash` and
    `browser_hash` are the SHA-256 of random texts in two cookies. `browser_hash` is salted with the session, so that a
    browser cannot be followed from one session to the next. `enrolment_id` is null where the person was not on the
    roster.
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
