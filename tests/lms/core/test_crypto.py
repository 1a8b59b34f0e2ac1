"""Sealed fields: they open where they were sealed and nowhere else."""

import base64
from itertools import islice
from uuid import RFC_4122, UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from lms.core import crypto
from lms.core.crypto import FieldCipher, UnknownKey, token, token_hash

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
CIPHER, OTHER = FieldCipher(KEY), FieldCipher(OTHER_KEY)
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


def test_a_second_key_opens_and_finds_what_the_first_sealed() -> None:
    former = FieldCipher(KEY)
    sealed, index = former.encrypt("trainee.phone", "r", "1"), former.blind_index("trainee.phone", "1")
    both = FieldCipher(f"2:{OTHER_KEY}", [KEY])
    assert (both.number, both.numbers, former.numbers) == (2, (2, 1), (1,))
    assert both.decrypt("trainee.phone", "r", sealed) == "1"
    assert both.opener("trainee.phone")(b"r", sealed) == b"1"
    assert both.blind_indexes("trainee.phone", "1") == [both.blind_index("trainee.phone", "1"), index]
    anew = both.encrypt("trainee.phone", "r", "1")
    assert (sealed[0], anew[0]) == (1, 2)
    alone = FieldCipher(f"2:{OTHER_KEY}")
    assert alone.decrypt("trainee.phone", "r", anew) == "1"
    assert alone.opener("trainee.phone")(b"r", alone.sealer("trainee.phone")(b"r", b"1")) == b"1"
    for read in (
        lambda: alone.decrypt("trainee.phone", "r", sealed),
        lambda: alone.opener("trainee.phone")(b"r", sealed),
    ):
        with pytest.raises(UnknownKey, match="number 1, which is not configured"):
            read()
    with pytest.raises(UnknownKey):
        alone.open("trainee.phone", "r", b"")


def test_a_stored_index_is_compared_under_every_key() -> None:
    index = FieldCipher(KEY).blind_index("c", "1")
    crypto.configure(f"2:{OTHER_KEY}", [KEY])
    assert crypto.is_indexed(index, "c", "1")
    assert not crypto.is_indexed(index, "c", "2")
    assert not crypto.is_indexed(index, "c", None)
    assert crypto.is_indexed(None, "c", None)
    assert not crypto.is_indexed(None, "c", "1")


def test_what_is_made_for_a_million_rows_is_what_is_made_for_one() -> None:
    index, seal = CIPHER.indexer("trainee.phone"), CIPHER.sealer("trainee.phone")
    assert index(b"+8613800138000") == CIPHER.blind_index("trainee.phone", "+8613800138000")
    rows = list(islice(crypto.references(), 600))
    assert len(set(rows)) == 600
    assert all(str(UUID(row)) == row and UUID(row).version == 4 and UUID(row).variant == RFC_4122 for row in rows)
    assert CIPHER.decrypt("trainee.phone", UUID(rows[0]), seal(rows[0].encode(), b"+86")) == "+86"
