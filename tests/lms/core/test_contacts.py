"""Contacts: claimed until they are proven, and claimed again when they change."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.core.contacts import ContactKind, ContactProof
from tests.factories import Make


@pytest.mark.parametrize("kind", list(ContactKind))
def test_a_new_contact_is_claimed_and_a_proof_ends_with_its_contact(make: Make, db: Session, kind: ContactKind) -> None:
    trainee = make.trainee(email="li@example.org")
    assert not trainee.is_proven(kind)
    trainee.set_proof(kind, ContactProof.CODE)
    db.flush()
    assert trainee.is_proven(kind)
    setattr(trainee, kind.value, "+8613900000001" if kind is ContactKind.PHONE else "wang@example.org")
    db.flush()
    assert not trainee.is_proven(kind)


def test_the_same_contact_typed_again_stays_proven(make: Make) -> None:
    trainee = make.trainee(email="li@example.org")
    trainee.set_proof(ContactKind.EMAIL, ContactProof.LINK)
    trainee.email = "LI@example.org"
    assert trainee.is_proven(ContactKind.EMAIL)


@pytest.mark.parametrize(
    "change",
    ["phone_proven_at = now()", "phone_proof = 'code'", "phone_proven_at = now(), phone_proof = 'guessed'"],
)
def test_the_database_takes_no_half_proof(make: Make, db: Session, change: str) -> None:
    trainee = make.trainee()
    with pytest.raises(IntegrityError):
        db.execute(text(f"UPDATE trainee SET {change} WHERE id = :id"), {"id": trainee.id})
