"""The registry of what is sealed: each place reads the ciphertext, seals it anew and indexes it as it is found."""

import base64

import pytest

from lms.core.crypto import FieldCipher, UnknownKey
from lms.core.sealed_columns import SealedColumn, SealedFact

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = "2:" + base64.b64encode(bytes(range(1, 33))).decode()


def test_a_column_is_sealed_anew_with_its_index() -> None:
    former, cipher = FieldCipher(OLD), FieldCipher(NEW, [OLD])
    place = SealedColumn("app_user", "email_sealed", "app_user.email", index="email_index", indexed=str.lower)
    row = {"email_sealed_row": "r", "email_sealed": former.encrypt("app_user.email", "r", "Li@example.org")}
    values: dict[str, object] = {}
    place.sealed_anew(row, values, cipher)
    alone = FieldCipher(NEW)
    assert alone.decrypt("app_user.email", "r", values["email_sealed"]) == "Li@example.org"  # type: ignore[arg-type]
    assert values["email_index"] == alone.blind_index("app_user.email", "li@example.org")
    with pytest.raises(UnknownKey, match="number 1"):
        place.sealed_anew(row, {}, alone)


def test_two_facts_of_one_row_are_both_sealed_anew() -> None:
    former, cipher = FieldCipher(OLD), FieldCipher(NEW, [OLD])
    facts = {
        "ref": "r",
        "phone": former.encrypt("a.phone", "r", "1").hex(),
        "number": former.encrypt("b.number", "r", "2").hex(),
        "reached": "李|" + former.blind_index("a.phone", "1").hex(),
        "index": former.blind_index("b.number", "2").hex(),
    }
    values: dict[str, object] = {}
    SealedFact("t", "facts", "phone", "a.phone", index="reached", prefixed=True).sealed_anew(
        {"facts": facts}, values, cipher
    )
    SealedFact("t", "facts", "number", "b.number", index="index").sealed_anew({"facts": facts}, values, cipher)
    alone, made = FieldCipher(NEW), values["facts"]
    assert isinstance(made, dict)
    assert alone.decrypt("a.phone", "r", bytes.fromhex(made["phone"])) == "1"
    assert alone.decrypt("b.number", "r", bytes.fromhex(made["number"])) == "2"
    assert made["reached"] == "李|" + alone.blind_index("a.phone", "1").hex()
    assert made["index"] == alone.blind_index("b.number", "2").hex()
