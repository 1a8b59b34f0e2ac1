"""An attacker who owns the database: alters rows of record, and rewrites the blocks as far as that goes without the key."""

import hashlib
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from certificates.records import blocks, canonical, leaves
from certificates.records.canonical import Digest
from lms.core.records import NUMBER, RecordTable

OTHER_VALUE = {
    "bigint": "coalesce({column}, 0) + 7",
    "smallint": "coalesce({column}, 0) + 1",
    "text": "coalesce({column}, '') || 'x'",
    "timestamp with time zone": "coalesce({column}, now()) + interval '1 microsecond'",
    "date": "{column} + 1",
    "boolean": "NOT coalesce({column}, false)",
    "jsonb": "coalesce({column}, '{{}}') || '{{\"forged\": 1}}'",
    "uuid": "gen_random_uuid()",
    "bytea": "set_byte({column}, 31, 255 - get_byte({column}, 31))",
}


class Attacker:
    """Alters one table within the connection's transaction."""

    def __init__(self, connection: Connection, table: RecordTable, seed: int = 1) -> None:
        self.connection = connection
        self.table = table
        self.neighbours: dict[str, str] = {}
        self.random = random.Random(seed)
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        types = connection.execute(
            text("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :name"),
            {"name": table.name},
        )
        self.types: dict[str, str] = {name: kind for name, kind in types}

    def keys(self) -> list[str]:
        """All keys, in order."""
        key, name = self.table.key, self.table.name
        every = self.connection.scalars(text(f"SELECT {key} FROM {name} ORDER BY {NUMBER}, {key}"))
        return [str(each) for each in every]

    def one_of_each_block(self) -> list[str]:
        """A random row of each block that has two or more; `neighbours` has another row of the same block for each."""
        every = self.keys()
        picked, place = [], 0
        counts = self.connection.scalars(
            text("SELECT row_count FROM record_block WHERE record_table = :name ORDER BY number"),
            {"name": self.table.name},
        )
        for count in counts.all():
            if count > 1:
                key, self.neighbours[key] = self.random.sample(every[place : place + count], 2)
                picked.append(key)
            place += count
        return picked

    def edit(self, key: str, column: str) -> None:
        """Change one column of a row."""
        value = OTHER_VALUE[self.types[column]].format(column=column)
        self._do(f"UPDATE {self.table.name} SET {column} = {value} WHERE {self._is}", key=key)

    def delete(self, key: str) -> None:
        """Remove a row."""
        self._do(f"DELETE FROM {self.table.name} WHERE {self._is}", key=key)

    def insert_like(self, key: str, **values: Any) -> str:
        """Insert a copy of a row under a new key, other columns as given; return its key."""
        new = (
            "gen_random_uuid()" if self.table.has_uuid else f"(SELECT max({self.table.key}) + 1 FROM {self.table.name})"
        )
        names = list(self.types)
        sources = [new if name == self.table.key else f":{name}" if name in values else name for name in names]
        statement = (
            f"INSERT INTO {self.table.name} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(sources)} FROM {self.table.name} WHERE {self._is} RETURNING {self.table.key}"
        )
        return str(self.connection.scalar(text(statement), {"key": key, **values}))

    def swap(self, one: str, other: str, *, contents: bool) -> None:
        """Exchange the contents of two rows, or their keys."""
        name, key = self.table.name, self.table.key
        kept = {key, NUMBER}
        if contents:
            pairs = ", ".join(f"{column} = other.{column}" for column in self.types if column not in kept)
        else:
            pairs = f"{key} = other.{key}"
            # The primary key is checked row by row, so a spare key stands between.
            self.connection.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS pk_{name} CASCADE"))
        self._do(
            f"UPDATE {name} SET {pairs} FROM {name} AS other WHERE ({name}.{key}::text, other.{key}::text)"
            " IN ((:one, :other), (:other, :one))",
            one=one, other=other,
        )  # fmt: skip

    def recompute(self, own: Ed25519PrivateKey | None = None, kid: str | None = None) -> None:
        """Rewrite all blocks of the table so that counts, digests, chain and leaves fit the rows as they are now.

        The tags of leaves, the parities and the signature need the key: those of untouched rows stay, others are made
        with a key of the attacker's own. kid: the name of the key that the statements then bear.
        """
        own = own or Ed25519PrivateKey.generate()
        columns = canonical.columns_of(self.connection, self.table)
        canonical.set_formats(self.connection)
        stored = self.connection.execute(
            text("SELECT * FROM record_block WHERE record_table = :name ORDER BY number"), {"name": self.table.name}
        ).all()
        previous = blocks.GENESIS
        for block in stored:
            claims = blocks.of_row(block, bytes(block.leaves))
            begin = None if block.number == 1 else claims.begin
            rows = list(canonical.rows(self.connection, self.table, columns, begin, claims.end))
            digest = Digest(self.table.name, columns, claims.begin, claims.end, previous).add(rows).value()
            forged = self._leaves(bytes(block.leaves), rows, block.number, own)
            claims = replace(
                claims, count=len(rows), digest=digest, previous=previous, kid=kid or claims.kid,
                leaves=hashlib.sha256(forged).digest(),
            )  # fmt: skip
            self._do(
                "UPDATE record_block SET row_count = :count, digest = :digest, previous_digest = :previous,"
                " leaves = :leaves, document = :document, kid = :kid WHERE record_table = :name AND number = :number",
                count=len(rows), digest=digest, previous=previous, leaves=forged, number=block.number, kid=claims.kid,
                document=blocks.document(claims, "http://127.0.0.1:8000", own.sign), name=self.table.name,
            )  # fmt: skip
            previous = digest

    def _leaves(self, stored: bytes, rows: Sequence[canonical.Row], number: int, own: Ed25519PrivateKey) -> bytes:
        groups = leaves.read(stored, self.table) or []
        assert len(groups) <= 1
        tags = dict(groups[0].tags) if groups else {}
        tagger = leaves.Tagger(own, self.table, number)
        keys = {canonical.key_bytes(self.table, row.key): row for row in rows}
        leaf = b"".join(key + tags.get(key, tagger.tag(key, row.line)) for key, row in keys.items())
        size = 16 if self.table.has_uuid else 8
        parity = groups[0].parity + groups[0].parity_tag if groups else os.urandom(size + leaves.TAG)
        return len(keys).to_bytes(2, "big") + leaf + parity if keys else b""

    @property
    def _is(self) -> str:
        return f"{self.table.key}::text = :key"

    def _do(self, statement: str, **values: Any) -> None:
        self.connection.execute(text(statement), values)
