"""The signed lists: what they hold, that they are signed anew when something changed, and that they read without us."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certificates import credentials, revocation
from certificates.branch import Branch
from certificates.keys import issuer_keys
from certificates.models import Certificate, StatusList
from certificates.verification import status_lists
from certificates.verification.status_lists import BITS, LIFETIME, StatusBits, StatusPurpose
from lms.core import clock
from lms.core.errors import DomainError


def lists(db: Session) -> dict[tuple[StatusPurpose, int], StatusBits]:
    """The stored lists, verified with the published keys."""
    keys = {key.kid: key.public_key for key in issuer_keys.public_keys(db)}
    read = [status_lists.read(document, keys) for document in db.scalars(select(StatusList.document))]
    return {(bits.purpose, bits.number): bits for bits in read}


def test_revoked_and_superseded_stand_each_on_its_list(
    db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    good, revoked, old = issue("张三丰"), issue("李四"), issue("王五")
    revocation.revoke(db, revoked, "发错人")
    old.superseded_by_id = good.id
    db.flush()
    assert status_lists.sign_due(db, branch) == len(lists(db)) == 2 * ((old.serial >> credentials.LIST_BITS) + 1)
    number = old.serial >> credentials.LIST_BITS
    signed = lists(db)
    for certificate, on in ((good, set()), (revoked, {StatusPurpose.REVOCATION}), (old, {StatusPurpose.SUPERSEDED})):
        assert {purpose for purpose in StatusPurpose if signed[purpose, number].contains(certificate.serial)} == on
    assert (
        signed[StatusPurpose.REVOCATION, number].valid_until - signed[StatusPurpose.REVOCATION, number].made_at
        == LIFETIME
    )


def test_they_are_signed_anew_when_they_changed_or_grow_old(
    db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰")
    assert status_lists.sign_due(db, branch) == 2
    assert status_lists.sign_due(db, branch) == 0
    revocation.revoke(db, certificate, "发错人")
    assert status_lists.sign_due(db, branch) == 1
    revocation.restore(db, certificate, "原判有误")
    assert status_lists.sign_due(db, branch) == 1
    assert not lists(db)[StatusPurpose.REVOCATION, certificate.serial >> credentials.LIST_BITS].contains(
        certificate.serial
    )
    with clock.at(clock.now() + timedelta(minutes=11)):
        assert status_lists.sign_due(db, branch) == 2


def test_the_second_list_begins_at_131072(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> None:
    certificate = issue("张三丰")
    db.execute(update(Certificate).values(serial=BITS + 5))
    db.expire_all()
    revocation.revoke(db, certificate, "发错人")
    assert status_lists.sign_due(db, branch) == 4
    signed = lists(db)
    assert signed[StatusPurpose.REVOCATION, 1].contains(BITS + 5)
    assert not any(signed[StatusPurpose.REVOCATION, 0].bits)


def test_an_altered_list_and_a_list_of_a_stranger_are_refused(
    db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    issue("张三丰")
    status_lists.sign_due(db, branch)
    document = db.scalars(select(StatusList.document)).first() or ""
    keys = {key.kid: key.public_key for key in issuer_keys.public_keys(db)}
    head, body, signature = document.split(".")
    for wrong in (f"{head}.{body[:-2]}AA.{signature}", f"{head}.{body}", "", "{}", f"{body}.{head}.{signature}"):
        with pytest.raises(DomainError) as refused:
            status_lists.read(wrong, keys)
        assert refused.value.code == "status_list_invalid"
    with pytest.raises(DomainError):
        status_lists.read(document, dict.fromkeys(keys, bytes(32)))


@settings(max_examples=20)
@given(st.sets(st.integers(0, BITS - 1), max_size=20))
def test_bits_are_counted_from_the_left(places: set[int]) -> None:
    document = status_lists.as_jwt(
        status_lists.credential("https://e.org", StatusPurpose.SUPERSEDED, 3, status_lists.encode(places), clock.now()),
        "status-1",
        key().sign,
    )
    bits = status_lists.read(document, {"status-1": key().public_key().public_bytes_raw()})
    assert (bits.purpose, bits.number) == (StatusPurpose.SUPERSEDED, 3)
    assert {place for place in range(BITS) if bits.bits[place // 8] >> (7 - place % 8) & 1} == places
    assert all(bits.contains(3 * BITS + place) for place in places)


def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
