"""Recovery codes: ten, each once, of one user alone."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import recovery_codes
from lms.accounts.models import RecoveryCode
from lms.accounts.second_factors import plain
from tests.factories import Make


def test_ten_codes_are_easy_to_write_and_stored_as_hashes(db: Session, make: Make) -> None:
    user = make.user()
    codes = recovery_codes.make(db, user)
    assert len(set(codes)) == recovery_codes.NUMBER == recovery_codes.left(db, user.id)
    assert all(re.fullmatch(r"[2-9a-hj-km-np-z]{4}(-[2-9a-hj-km-np-z]{4}){2}", code) for code in codes)
    stored = list(db.scalars(select(RecoveryCode.code_hash)))
    assert not {plain(code).encode() for code in codes} & set(stored)


def test_each_is_used_once_however_it_is_typed(db: Session, make: Make) -> None:
    user = make.user()
    first, second, *_ = recovery_codes.make(db, user)
    assert recovery_codes.accept(db, user, plain(first))
    assert not recovery_codes.accept(db, user, plain(first))
    assert recovery_codes.accept(db, user, plain(f" {second.upper().replace('-', ' ')} "))
    assert recovery_codes.left(db, user.id) == recovery_codes.NUMBER - 2


def test_new_codes_end_the_old_ones(db: Session, make: Make) -> None:
    user = make.user()
    old = recovery_codes.make(db, user)[0]
    recovery_codes.make(db, user)
    assert not recovery_codes.accept(db, user, plain(old))
    assert recovery_codes.left(db, user.id) == recovery_codes.NUMBER


def test_the_code_of_another_user_is_none(db: Session, make: Make) -> None:
    user, other = make.user(), make.user()
    code = recovery_codes.make(db, user)[0]
    recovery_codes.make(db, other)
    assert not recovery_codes.accept(db, other, plain(code))
    recovery_codes.forget(db, user.id)
    assert recovery_codes.left(db, user.id) == 0
    assert recovery_codes.left(db, other.id) == recovery_codes.NUMBER


@pytest.mark.usefixtures("real_hashes")
def test_a_code_on_paper_is_found_by_the_hash_that_was_made_of_it_once(db: Session, make: Make) -> None:
    """A hash that the first version stored; other parameters of Argon2id would find none of the codes on paper."""
    user = make.user()
    user.ref = UUID(int=7)
    stored = bytes.fromhex("821e4e0c5f0d31edf1077abdf3b3e695114d2883b356b23899df82d0cb25f722")
    db.add(RecoveryCode(user_id=user.id, code_hash=stored))
    db.flush()
    assert recovery_codes.accept(db, user, "abcdefghjkmn")
