"""Sealed fields: they open where they were sealed and nowhere else."""

import base64
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from lms.core.crypto import FieldCipher, token, token_hash

CIPHER = FieldCipher(base64.b64encode(bytes(range(32))).decode())
OTHER = FieldCipher(base64.b64encode(bytes(range(1, 33))).decode())
ROW = UUID(int=7)


@given(st.text(max_size=60), st.uuids())
def test_a_value_opens_in_its_place(value: str, row: UUID) -> None:
    assert CIPHER.decrypt("trainee.phone", row, CIPHER.encrypt("trainee.phone", row, value)) == value


@pytest.mark.parametrize(("column", "row"), [("trainee.phone", UUID(int=8)), ("trainee.id_number", ROW)])
def test_a_value_does_not_open_in_another_row_or_column(column: str, row: UUID) -> None:
    sealed = CIPHER.encrypt("trainee.phone", ROW, "+8613800138000")
    with pytest.raises(InvalidTag):
        CIPHER.decrypt(column, row, sealed)


@given(st.integers(min_value=1, max_value=41), st.integers(min_value=1, max_value=255))
def test_an_altered_value_does_not_open(place: int, change: int) -> None:
    sealed = bytearray(CIPHER.encrypt("trainee.phone", ROW, "+8613800138000"))
    sealed[place] ^= change
    with pytest.raises(InvalidTag):
        CIPHER.decrypt("trainee.phone", ROW, bytes(sealed))


def test_equal_values_look_different_and_have_equal_indexes() -> None:
    first, second = (CIPHER.encrypt("trainee.phone", ROW, "+8613800138000") for _ in range(2))
    assert first != second
    assert b"138" not in first
    index = CIPHER.blind_index("trainee.phone", "+8613800138000")
    assert index == CIPHER.blind_index("trainee.phone", "+8613800138000")
    assert index != CIPHER.blind_index("app_user.phone", "+8613800138000")
    assert index != OTHER.blind_index("trainee.phone", "+8613800138000")


def test_tokens_are_long_and_kept_only_as_hashes() -> None:
    tokens = {token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(one) for one in tokens} == {22}
    assert token_hash("a") != token_hash("b")
    assert len(token_hash(str(uuid4()))) == 32
