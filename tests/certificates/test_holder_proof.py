"""Proof of the holder: the full name or the end of the ID number, and the same work where there is no holder."""

from uuid import uuid4

import pytest

from certificates.holder_proof import Holder, id_tail, proves
from courses.models.trainees import ID_NUMBER_COLUMN
from lms.core import crypto
from lms.core.crypto import FieldCipher

pytestmark = pytest.mark.usefixtures("app")  # it configures the cipher


def holder(name: str = "张三丰", number: str | None = "11010519491231002X") -> Holder:
    ref = uuid4()
    return Holder(name, ref, crypto.cipher().encrypt(ID_NUMBER_COLUMN, ref, number) if number else None)


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("31002X", "31002X"),
        (" 31002x ", "31002X"),
        ("３１００２Ｘ", "31002X"),
        ("ZHANG3", "ZHANG3"),
        ("3ZHANG", "3ZHANG"),
        ("3100-2X", None),
        ("ABCDEF", None),
        ("31002", None),
        ("1310020", None),
        ("张三丰", None),
        ("", None),
    ],
)
def test_an_ending_has_six_letters_and_digits_with_a_digit_among_them(text: str, tail: str | None) -> None:
    assert id_tail(text) == tail


@pytest.mark.parametrize("proof", ["张三丰", " 张 三 丰 ", "31002X", "31002x"])
def test_the_full_name_and_the_end_of_the_id_number_prove_the_holder(proof: str) -> None:
    assert proves(proof, holder(), id_number_column=ID_NUMBER_COLUMN)


@pytest.mark.parametrize("proof", ["张三", "三丰", "", "310020", "11010519491231002X"])
def test_a_part_of_the_name_and_another_ending_prove_nothing(proof: str) -> None:
    assert not proves(proof, holder(), id_number_column=ID_NUMBER_COLUMN)


@pytest.mark.parametrize("proof", ["无名氏", "000000"])
def test_the_stand_in_proves_nothing(proof: str) -> None:
    assert proves(proof, None, id_number_column=ID_NUMBER_COLUMN) is False
    assert proves("000000", holder(number=None), id_number_column=ID_NUMBER_COLUMN) is False


def test_one_number_is_decrypted_whether_or_not_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    known, without = holder(), holder(number=None)
    proves("000000", None, id_number_column=ID_NUMBER_COLUMN)  # makes the stand-in
    calls: list[str] = []
    decrypt = FieldCipher.decrypt

    def counted(cipher: FieldCipher, column: str, *arguments: object) -> str:
        calls.append(column)
        number = decrypt(cipher, column, *arguments)  # type: ignore[arg-type]
        assert len(number) == 18  # the stand-in too is as long as an ID number
        return number

    monkeypatch.setattr(FieldCipher, "decrypt", counted)
    for person in (known, without, None):
        calls.clear()
        proves("310020", person, id_number_column=ID_NUMBER_COLUMN)
        assert calls == [ID_NUMBER_COLUMN]
        calls.clear()
        proves("张三", person, id_number_column=ID_NUMBER_COLUMN)
        assert calls == []


def test_an_id_number_that_was_stored_in_small_letters_is_the_same() -> None:
    assert proves("31002X", holder(number="usa11010031002x"), id_number_column=ID_NUMBER_COLUMN)


def test_the_number_is_decrypted_as_the_column_under_which_it_was_sealed() -> None:
    ref = uuid4()
    legacy = Holder("张三丰", ref, crypto.cipher().encrypt("legacy.id_number", ref, "11010519491231002X"))
    assert proves("31002X", legacy, id_number_column="legacy.id_number")
    assert not proves("31002X", None, id_number_column="legacy.id_number")
