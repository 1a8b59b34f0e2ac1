"""Recovery codes: ten, each once, of one user alone."""

import re

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
