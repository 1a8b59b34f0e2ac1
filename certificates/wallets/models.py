"""The passes of certificates for the wallets of phones."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from certificates.models import Certificate
from lms.core.db import Base, EnumText


class Wallet(StrEnum):
    """The wallets for which there are passes."""

    APPLE = "apple"
    GOOGLE = "google"


class WalletPass(Base):
    """A pass of a certificate for one wallet: owed from the first download on, and stored as it was signed.

    `content` is the file (PKPASS) or the signed tokens (Google). `digest` is the SHA-256 of what the pass says: when the
    certificate's state or the second writing of the name changes, the pass is owed again.
    """

    __tablename__ = "wallet_pass"

    certificate_id: Mapped[int] = mapped_column(ForeignKey(Certificate.id), primary_key=True, autoincrement=False)
    wallet: Mapped[Wallet] = mapped_column(EnumText(Wallet), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    owed_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("wallet IN ('apple', 'google')", name="wallet"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        CheckConstraint("(made_at IS NULL) = (content IS NULL)", name="whole"),
        Index("ix_wallet_pass_owed", "owed_at", postgresql_where="made_at IS NULL"),
    )
