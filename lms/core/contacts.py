"""Contacts of a person: a phone or an e-mail address, claimed by whoever typed it until it is proven."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import EnumText


class ContactKind(StrEnum):
    """The kinds of contacts."""

    PHONE = "phone"
    EMAIL = "email"


class ContactProof(StrEnum):
    """The ways in which a contact was proven.

    code: a code sent to it came back. link: a link sent to it was confirmed by a tap. staff: staff saw the person and the
    person's document.
    """

    CODE = "code"
    LINK = "link"
    STAFF = "staff"


class ProvenContacts:
    """The columns of a person with a phone and an e-mail address, each claimed until its `…_proven_at` is set.

    `…_proven_by` is the user who saw the document, where staff proved the contact. A model that sets a new phone or e-mail
    address calls `forget_proof`, so that no proof outlives the contact that it proved.
    """

    phone_proven_at: Mapped[datetime | None]
    phone_proof: Mapped[ContactProof | None] = mapped_column(EnumText(ContactProof))
    phone_proven_by: Mapped[int | None] = mapped_column(BigInteger)
    email_proven_at: Mapped[datetime | None]
    email_proof: Mapped[ContactProof | None] = mapped_column(EnumText(ContactProof))
    email_proven_by: Mapped[int | None] = mapped_column(BigInteger)

    def is_proven(self, kind: ContactKind) -> bool:
        """Tell whether the contact of a kind is proven."""
        return (self.phone_proven_at if kind is ContactKind.PHONE else self.email_proven_at) is not None

    def set_proof(self, kind: ContactKind, proof: ContactProof, *, by: int | None = None) -> None:
        """Mark the contact of a kind as proven now. by: the user who saw the document, for a proof by staff."""
        if kind is ContactKind.PHONE:
            self.phone_proven_at, self.phone_proof, self.phone_proven_by = clock.now(), proof, by
        else:
            self.email_proven_at, self.email_proof, self.email_proven_by = clock.now(), proof, by

    def forget_proof(self, kind: ContactKind) -> None:
        """Mark the contact of a kind as claimed."""
        if kind is ContactKind.PHONE:
            self.phone_proven_at = self.phone_proof = self.phone_proven_by = None
        else:
            self.email_proven_at = self.email_proof = self.email_proven_by = None


def proof_constraints() -> tuple[CheckConstraint, ...]:
    """The check constraints of the columns of `ProvenContacts`: a proof has a moment and a known way."""
    return tuple(
        CheckConstraint(
            f"({kind}_proven_at IS NULL) = ({kind}_proof IS NULL) AND {kind}_proof IN ('code', 'link', 'staff')"
            f" AND ({kind}_proven_by IS NULL OR {kind}_proof = 'staff')",
            name=f"{kind}_proof",
        )
        for kind in ("phone", "email")
    )
