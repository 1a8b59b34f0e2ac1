"""The manifest: what a backup holds, as it was counted when the backup was made. It is the last part of the archive."""

import hashlib
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lms.backup import BackupError

FORMAT = 1
NAME = "manifest.json"
DATABASE = "database"  # the dump as one part; its members are `database/000000` and so on
SETTINGS = "settings.json"
KEYS = "keys/"
FILES = "files/"

# A table or sequence; with its schema where that is not `public`.
Relation = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PartName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")]


class Part(BaseModel):
    """A part of the backup: its length in bytes and the SHA-256 of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    sha256: Sha256


class Snapshot(BaseModel):
    """The moment of the database that was dumped.

    next_transaction: the first transaction number that was not given out yet. in_progress: lower numbers whose
    transactions had not ended, so that nothing of them is in the backup. wal_position: the position in the
    write-ahead log. The three belong to the database server that the backup was made from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    taken_at: datetime
    next_transaction: int
    in_progress: list[int]
    wal_position: str


class Manifest(BaseModel):
    """The manifest of one backup. tables: rows of each table in the snapshot. left_out: names of settings.

    record_heads: number and digest of the last sealed block of each table of record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    made_at: datetime
    program: str
    migration: str
    server_version: int  # as PostgreSQL gives it: 180004 is 18.4
    dump_version: int  # the major version of pg_dump
    snapshot: Snapshot
    tables: dict[Relation, int]
    settings: list[str]
    left_out: list[str]
    keys: list[PartName]
    record_heads: dict[Relation, tuple[int, Sha256]] = Field(default_factory=dict)
    parts: dict[PartName, Part]

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(self.tables.values())

    @property
    def server_major(self) -> int:
        """The major version of the database server, such as 18."""
        return self.server_version // 10_000

    def as_json(self) -> bytes:
        """The manifest as it lies in the archive."""
        return self.model_dump_json(indent=1).encode()


def parse(content: bytes) -> Manifest:
    """Read a manifest. Raises BackupError for one of another format, or one that is no manifest."""
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise BackupError(f"the backup's manifest is not readable: {error.errors()[0]['msg']}") from None
    if manifest.format != FORMAT:
        raise BackupError(
            f"the backup is of format {manifest.format}, and this version reads format {FORMAT}: use the version that made it"
        )
    return manifest


class PartHashes:
    """Lengths and SHA-256 of the parts, taken from the members as they go by."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._hashes: dict[str, hashlib._Hash] = {}

    def add(self, name: str, content: bytes) -> None:
        """Count a member; the members of the database count as one part."""
        name = DATABASE if name.startswith(f"{DATABASE}/") else name
        self._sizes[name] = self._sizes.get(name, 0) + len(content)
        self._hashes.setdefault(name, hashlib.sha256()).update(content)

    def parts(self) -> dict[str, Part]:
        """All parts so far."""
        return {name: Part(size=self._sizes[name], sha256=digest.hexdigest()) for name, digest in self._hashes.items()}
