"""Leaves of a block: with them and the private key, a check names the very row that was altered.

A leaf is a row's key and the first bytes of a keyed hash (BLAKE2b) of table, block, key and text. Who lacks the private
key can remove a leaf or overwrite it, and cannot make one. Leaves come in groups of up to 256; each group ends with its
parity, the masked XOR of its keys, from which the key of one row whose leaf was removed too is computed.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from certificates.records import canonical
from certificates.records.canonical import Row
from lms.core.records import RecordTable

GROUP = 256
TAG = 8  # bytes of a keyed hash that are kept: 2^64 guesses, which nobody can try without the key


class Difference(StrEnum):
    """How a row differs from its leaf."""

    EDITED = "edited"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Group:
    """A stored group: key → tag in the order of the rows, the masked parity, and its tag."""

    tags: Mapping[bytes, bytes]
    parity: bytes
    parity_tag: bytes


class Tagger:
    """Computes the keyed hashes of one block."""

    def __init__(self, private: Ed25519PrivateKey, table: RecordTable, number: int) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"lms sealed records: leaves")
        context = f"{table.name}:{number}:".encode()
        self._base = hashlib.blake2b(context, key=derived.derive(private.private_bytes_raw()), digest_size=16)

    def tag(self, key: bytes, line: bytes) -> bytes:
        """The tag of a row."""
        return self._hash(b"row:" + key + line)[:TAG]

    def mask(self, group: int, parity: bytes) -> bytes:
        """Mask or unmask the parity of a group."""
        return _xor(parity, self._hash(b"mask:%d" % group)[: len(parity)])

    def parity_tag(self, group: int, count: int, parity: bytes) -> bytes:
        """The tag of a group's number of rows and its parity."""
        return self._hash(b"parity:%d:%d:" % (group, count) + parity)[:TAG]

    def _hash(self, data: bytes) -> bytes:
        hasher = self._base.copy()
        hasher.update(data)
        return hasher.digest()


def make(rows: Sequence[Row], table: RecordTable, tagger: Tagger) -> bytes:
    """The leaves of a block's rows: for each group its number of rows (2 bytes), keys and tags, parity and its tag."""
    parts = []
    for place, begin in enumerate(range(0, len(rows), GROUP)):
        group = rows[begin : begin + GROUP]
        keys = [canonical.key_bytes(table, row.key) for row in group]
        parity = tagger.mask(place, reduce(_xor, keys))
        parts.append(len(group).to_bytes(2, "big"))
        parts += [key + tagger.tag(key, row.line) for key, row in zip(keys, group, strict=True)]
        parts += [parity, tagger.parity_tag(place, len(group), parity)]
    return b"".join(parts)


def read(stored: bytes, table: RecordTable) -> list[Group] | None:
    """The groups of stored leaves; None when the bytes cannot be leaves."""
    size = 16 if table.has_uuid else 8
    groups: list[Group] = []
    place = 0
    while place < len(stored):
        count = int.from_bytes(stored[place : place + 2], "big")
        begin, end = place + 2, place + 2 + count * (size + TAG)
        place = end + size + TAG
        if place > len(stored):
            return None
        leaves = [stored[at : at + size + TAG] for at in range(begin, end, size + TAG)]
        tags = {leaf[:size]: leaf[size:] for leaf in leaves}
        groups.append(Group(tags, stored[end : end + size], stored[end + size : place]))
    return groups


def compare(
    groups: Sequence[Group], rows: Sequence[Row], table: RecordTable, tagger: Tagger | None
) -> Iterator[tuple[Difference, str]]:
    """Compare a block's rows with its leaves; yield each difference and the key of its row.

    tagger: None where the private key is not at hand; then only keys that are missing or new are found.
    """
    present = {canonical.key_bytes(table, row.key): row for row in rows}
    known = {key for group in groups for key in group.tags}
    removed = [key for group in groups for key in group.tags if key not in present]
    forged: set[bytes] = set()
    edited: list[bytes] = []
    for place, group in enumerate(groups):
        doubtful = [
            key
            for key, tag in group.tags.items()
            if tagger is not None and key in present and tagger.tag(key, present[key].line) != tag
        ]
        lost, made = _reconcile(group, place, doubtful, tagger) if tagger is not None else (None, None)
        if lost is not None and lost not in present:
            removed.append(lost)
        if made is not None:
            forged.add(made)
        edited += [key for key in doubtful if key != made]
    added = [key for key in present if key not in known or key in forged]
    for difference, keys in (
        (Difference.EDITED, edited), (Difference.REMOVED, removed), (Difference.ADDED, added),
    ):  # fmt: skip
        for key in keys:
            yield difference, canonical.key_text(table, key)


def _reconcile(
    group: Group, place: int, doubtful: Sequence[bytes], tagger: Tagger
) -> tuple[bytes | None, bytes | None]:
    """Compare a group with its parity: the key whose leaf was removed, and the key whose leaf was made by somebody.

    None where there is no such key, or where more than one leaf was removed or made.
    """
    number = next(
        (count for count in range(1, GROUP + 1) if tagger.parity_tag(place, count, group.parity) == group.parity_tag),
        None,
    )
    if number is None:
        return None, None
    rest = reduce(_xor, group.tags, tagger.mask(place, group.parity))
    if not any(rest):
        return None, None
    surplus = len(group.tags) - number
    if surplus == -1:
        return rest, None
    if surplus == 1 and rest in doubtful:
        return None, rest
    if surplus == 0 and len(doubtful) == 1:
        return _xor(rest, doubtful[0]), doubtful[0]
    return None, None


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
