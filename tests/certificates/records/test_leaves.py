"""Leaves: which row was altered, also when its leaf was removed or made anew without the key."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.records import leaves
from certificates.records.canonical import Row
from certificates.records.leaves import Difference, Tagger
from lms.core import records

AUDIT = next(table for table in records.registered() if table.name == "audit_entry")
OURS = Tagger(Ed25519PrivateKey.from_private_bytes(bytes(32)), AUDIT, 3)
THEIRS = Tagger(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), AUDIT, 3)
LEAF = 16  # bytes: 8 of the key, 8 of the tag


def rows(*keys: int) -> list[Row]:
    return [Row(0, 1, str(key), b"1\t%d\ttext\n" % key) for key in keys]


def differences(stored: bytes, present: list[Row], tagger: Tagger | None = OURS) -> list[tuple[Difference, str]]:
    return list(leaves.compare(leaves.read(stored, AUDIT) or [], present, AUDIT, tagger))


def recounted(stored: bytes, number: int) -> bytes:
    return number.to_bytes(2, "big") + stored[2:]


@pytest.mark.parametrize("number", [0, 1, 255, 256, 257, 600])
def test_rows_as_they_were_have_no_difference(number: int) -> None:
    every = rows(*range(number))
    assert differences(leaves.make(every, AUDIT, OURS), every) == []


def test_the_same_rows_in_another_block_have_other_leaves() -> None:
    other = Tagger(Ed25519PrivateKey.from_private_bytes(bytes(32)), AUDIT, 4)
    every = rows(1, 2)
    assert {key for _difference, key in differences(leaves.make(every, AUDIT, other), every)} == {"1", "2"}


def test_a_removed_row_is_named_when_its_leaf_is_removed_too() -> None:
    stored = leaves.make(rows(1, 2, 3), AUDIT, OURS)
    cut = recounted(stored[: 2 + LEAF] + stored[2 + 2 * LEAF :], 2)
    assert differences(cut, rows(1, 3)) == [(Difference.REMOVED, "2")]


def test_an_added_row_is_named_when_it_was_given_a_leaf() -> None:
    stored, other = leaves.make(rows(1, 2, 3), AUDIT, OURS), leaves.make(rows(9), AUDIT, THEIRS)
    grown = recounted(stored[: 2 + 3 * LEAF] + other[2 : 2 + LEAF] + stored[2 + 3 * LEAF :], 4)
    assert differences(grown, rows(1, 2, 3, 9)) == [(Difference.ADDED, "9")]


def test_a_row_put_in_the_place_of_another_is_named_with_it() -> None:
    stored, other = leaves.make(rows(1, 2, 3), AUDIT, OURS), leaves.make(rows(9), AUDIT, THEIRS)
    changed = stored[: 2 + LEAF] + other[2 : 2 + LEAF] + stored[2 + 2 * LEAF :]
    assert differences(changed, rows(1, 3, 9)) == [(Difference.REMOVED, "2"), (Difference.ADDED, "9")]


def test_an_edited_row_is_named_when_its_leaf_was_made_anew() -> None:
    stored, other = leaves.make(rows(1, 2, 3), AUDIT, OURS), leaves.make(rows(2), AUDIT, THEIRS)
    changed = stored[: 2 + LEAF] + other[2 : 2 + LEAF] + stored[2 + 2 * LEAF :]
    present = rows(1, 2, 3)
    present[1] = present[1]._replace(line=b"1\t2\tother\n")
    assert differences(changed, present) == [(Difference.EDITED, "2")]


def test_without_the_key_missing_and_new_rows_are_named() -> None:
    stored = leaves.make(rows(1, 2, 3), AUDIT, OURS)
    assert differences(stored, rows(1, 3, 4), None) == [(Difference.REMOVED, "2"), (Difference.ADDED, "4")]


def test_bytes_that_are_no_leaves_are_recognised() -> None:
    assert leaves.read(b"\x00\x09abc", AUDIT) is None
