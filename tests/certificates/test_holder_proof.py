"""Proof of holding a certificate: the full name, or the end of the ID number."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.holder_proof import Holder, id_tail, proves
from lms.core import crypto
from lms.core.crypto import FieldCipher
from tests.conftest import FIELD_KEY

COLUMN, REF = "trainee.id_number", UUID(int=7)


def holder(id_number: str | None = "11010519491231002X", column: str = COLUMN) -> Holder:
    crypto.configure(FIELD_KEY)
    sealed = crypto.cipher().encrypt(column, REF, id_number) if id_number is not None else None
    return Holder("张三丰", REF, sealed)


@pytest.mark.parametrize(
    ("typed", "tail"),
    [
        ("31002X", "31002X"),
        (" 31002x\n", "31002X"),
        ("３１００２Ｘ", "31002X"),
        ("000000", "000000"),
        ("ABCDE1", "ABCDE1"),
        ("1ABCDE", "1ABCDE"),
        ("ABCDEF", None),  # a name may have six letters
        ("31002", None),
        ("310020X", None),
        ("3100-2X", None),
        ("张三丰", None),
    ],
)
def test_the_end_of_an_id_number_has_six_characters_and_a_digit(typed: str, tail: str | None) -> None:
    assert id_tail(typed) == tail


@pytest.mark.parametrize(
    ("proof", "proved"),
    [
        ("张三丰", True),
        (" 张 三 丰", True),
        ("张三", False),
        ("", False),
        ("31002X", True),
        ("31002x", True),
        ("310020", False),
        ("000000", False),
        ("11010519491231002X", False),
    ],
)
def test_the_full_name_or_the_last_six_characters_prove_it(proof: str, proved: bool) -> None:
    assert proves(proof, holder(), id_number_column=COLUMN) is proved


def test_an_id_number_that_was_kept_in_small_letters_is_the_same() -> None:
    assert proves("31002X", holder("usa11010031002x"), id_number_column=COLUMN)


@given(st.sampled_from(["无名氏", "张三丰", "000000", "00000X", "31002X", ""]))
def test_nothing_proves_that_somebody_holds_a_certificate_that_is_not_there(proof: str) -> None:
    crypto.configure(FIELD_KEY)
    assert proves(proof, None, id_number_column=COLUMN) is False


def test_whose_id_number_is_not_known_proves_it_by_name_alone() -> None:
    assert not proves("000000", holder(None), id_number_column=COLUMN)
    assert proves("张三丰", holder(None), id_number_column=COLUMN)


def test_the_number_is_opened_under_the_column_that_it_was_sealed_for() -> None:
    assert proves("31002X", holder(column="legacy.id_number"), id_number_column="legacy.id_number")


@pytest.mark.parametrize("known", [holder(), holder(None), None])
def test_one_number_is_opened_for_each_end_that_is_typed_whoever_is_there(
    known: Holder | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    crypto.configure(FIELD_KEY)
    opened: list[str] = []
    decrypt = FieldCipher.decrypt

    def counted(cipher: FieldCipher, column: str, ref: UUID, sealed: bytes) -> str:
        opened.append(decrypt(cipher, column, ref, sealed))
        return opened[-1]

    monkeypatch.setattr(FieldCipher, "decrypt", counted)
    proves("123456", known, id_number_column=COLUMN)
    assert [len(number) for number in opened] == [18]
    proves("张三丰", known, id_number_column=COLUMN)
    assert len(opened) == 1
