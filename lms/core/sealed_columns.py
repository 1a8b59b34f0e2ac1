"""The registry of what is sealed with the field key: which column holds it, to what it is bound, and how it is indexed.

Each package registers its columns in a module `sealed_columns`, which the map in `lms.app` imports. `lms.core.resealing` walks
them when FIELD_KEY is replaced. A test holds every binary column of the schema against this registry.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lms.core.crypto import FieldCipher


class Sealed(ABC):
    """A place of a table where a value is sealed. `batch`: how many rows are sealed anew in one transaction."""

    table: str
    batch: int

    @property
    @abstractmethod
    def place(self) -> str:
        """The place as reports name it, such as "trainee.phone_sealed"."""

    @abstractmethod
    def lead(self) -> str:
        """SQL: the first byte of the ciphertext, which is the number of its key; null where nothing is sealed."""

    @abstractmethod
    def selected(self) -> Mapping[str, str]:
        """The values of a row that are read to seal it anew: SQL by the name of the result."""

    @abstractmethod
    def sealed_anew(self, row: Mapping[str, Any], values: dict[str, Any], cipher: FieldCipher) -> None:
        """Put the values of the row's columns, sealed with the newest key, into `values`.

        row: what `selected` asked for. values: column → value; several places of one table share it. Raises InvalidTag and
        UnknownKey.
        """


@dataclass(frozen=True)
class SealedColumn(Sealed):
    """A column with a ciphertext.

    name: the column to which the ciphertext is bound, such as "trainee.phone". row: SQL of the reference of the row to which it
    is bound; `binding` makes the reference of it where SQL cannot. index: the column with the blind index of the value, as
    `indexed` spells it (an e-mail address in lower case). index_name: the column under which the index is made, where it is
    compared with another column's. where: SQL of the rows that hold such a ciphertext in this column.
    """

    table: str
    column: str
    name: str
    row: str = "ref"
    binding: Callable[[str], str] = str
    index: str | None = None
    indexed: Callable[[str], str] = str
    index_name: str | None = None
    where: str = "true"
    batch: int = 200

    @property
    def place(self) -> str:
        """See `Sealed`."""
        return f"{self.table}.{self.column}"

    def lead(self) -> str:
        """See `Sealed`."""
        return f"CASE WHEN {self.where} THEN get_byte(substring({self.column} FROM 1 FOR 1) || '\\x00'::bytea, 0) END"

    def selected(self) -> Mapping[str, str]:
        """See `Sealed`."""
        return {f"{self.column}_row": f"CAST({self.row} AS text)", self.column: self.column}

    def sealed_anew(self, row: Mapping[str, Any], values: dict[str, Any], cipher: FieldCipher) -> None:
        """See `Sealed`."""
        binding = self.binding(row[f"{self.column}_row"])
        content = cipher.open(self.name, binding, row[self.column])
        values[self.column] = cipher.seal(self.name, binding, content)
        if self.index is not None:
            values[self.index] = cipher.blind_index(self.index_name or self.name, self.indexed(content.decode()))


@dataclass(frozen=True)
class SealedFact(Sealed):
    """A ciphertext in hexadecimal within a column of JSON, with its row's reference beside it as "ref".

    key: its key in the JSON. index: the key of the blind index, in hexadecimal; `prefixed`: it stands behind a text and a bar,
    as in "张三|3f…". index_name: as in `SealedColumn`.
    """

    table: str
    column: str
    key: str
    name: str
    index: str | None = None
    prefixed: bool = False
    index_name: str | None = None
    batch: int = 200

    @property
    def place(self) -> str:
        """See `Sealed`."""
        return f"{self.table}.{self.column}.{self.key}"

    def lead(self) -> str:
        """See `Sealed`."""
        return f"get_byte(decode(left({self.column}->>'{self.key}', 2), 'hex'), 0)"

    def selected(self) -> Mapping[str, str]:
        """See `Sealed`."""
        return {self.column: self.column}

    def sealed_anew(self, row: Mapping[str, Any], values: dict[str, Any], cipher: FieldCipher) -> None:
        """See `Sealed`."""
        facts = dict(values.get(self.column, row[self.column]))
        content = cipher.open(self.name, facts["ref"], bytes.fromhex(facts[self.key]))
        facts[self.key] = cipher.seal(self.name, facts["ref"], content).hex()
        if self.index is not None and facts.get(self.index):
            index = cipher.blind_index(self.index_name or self.name, content.decode()).hex()
            text = facts[self.index].rpartition("|")[0]
            facts[self.index] = f"{text}|{index}" if self.prefixed else index
        values[self.column] = facts


@dataclass(frozen=True)
class KeyedHashes:
    """Hashes made with the field key of values that are not stored, so that they cannot be made anew with another key.

    place: as reports name it. count: how many there are. end: ends those of one person and tells the person; returns how many
    it ended, 0 when none is left. Each call is a transaction.
    """

    place: str
    count: Callable[[Session], int]
    end: Callable[[Session], int]


_registered: list[Sealed] = []
_keyed_hashes: list[KeyedHashes] = []


def register(*places: Sealed) -> None:
    """Add places of a package."""
    _registered.extend(place for place in places if place not in _registered)


def register_hashes(hashes: KeyedHashes) -> None:
    """Add hashes of a package."""
    _keyed_hashes.append(hashes)


def keyed_hashes() -> list[KeyedHashes]:
    """All hashes that end with the field key with which they were made."""
    return list(_keyed_hashes)


def by_table() -> dict[str, list[Sealed]]:
    """Every place, by its table."""
    tables: dict[str, list[Sealed]] = {}
    for sealed in sorted(_registered, key=lambda sealed: sealed.place):
        tables.setdefault(sealed.table, []).append(sealed)
    return tables
