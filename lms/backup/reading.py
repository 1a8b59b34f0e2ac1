"""Reading a backup: all of it is decrypted and compared with its manifest, without writing anything anywhere."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lms.backup import BackupError, encryption, manifest
from lms.backup.archive import Unpacker
from lms.backup.encryption import Opener
from lms.backup.manifest import Manifest, PartHashes
from lms.backup.programs import Child, Programs

SMALL_PARTS_BYTES = 64 * 1024 * 1024  # keys, settings, pictures and the manifest are far less


@dataclass
class Contents:
    """A backup's manifest, and its parts besides the database: keys, settings and pictures, by name."""

    manifest: Manifest
    small_parts: dict[str, bytes] = field(repr=False)

    def keys(self) -> dict[str, bytes]:
        """Key files by their path within the keys folder."""
        return self._below(manifest.KEYS)

    def pictures(self) -> dict[str, bytes]:
        """Pictures by name, such as "seal_file.svg"."""
        return self._below(manifest.FILES)

    @property
    def settings(self) -> bytes:
        """The settings as JSON."""
        return self.small_parts[manifest.SETTINGS]

    def _below(self, folder: str) -> dict[str, bytes]:
        return {
            name.removeprefix(folder): content for name, content in self.small_parts.items() if name.startswith(folder)
        }


class _Reader:
    """Takes the members of an archive: hashes them, keeps the small ones, and passes the dump on."""

    def __init__(self, pass_on: Callable[[bytes], object] | None) -> None:
        self._pass_on = pass_on
        self._hashes = PartHashes()
        self._small: dict[str, bytes] = {}
        self._small_bytes = 0
        self._pieces = 0

    def receive(self, name: str, content: bytes) -> None:
        if manifest.NAME in self._small:
            raise BackupError(f"the backup is damaged: {name} follows the manifest")
        if name.startswith(f"{manifest.DATABASE}/"):
            if name != f"{manifest.DATABASE}/{self._pieces:06d}":
                raise BackupError(f"the backup is damaged: {name} is not the piece of the database that comes next")
            self._pieces += 1
            if self._pass_on is not None:
                self._pass_on(content)
        else:
            self._small_bytes += len(content)
            if name in self._small or self._small_bytes > SMALL_PARTS_BYTES:
                raise BackupError(f"the backup is damaged: {name} comes twice, or is too large")
            self._small[name] = content
        if name != manifest.NAME:
            self._hashes.add(name, content)

    def contents(self) -> Contents:
        """All of it, once it is complete. Raises BackupError where it is not what the manifest says."""
        try:
            own_manifest = manifest.parse(self._small.pop(manifest.NAME))
        except KeyError:
            raise BackupError("the backup is damaged: it has no manifest") from None
        parts = self._hashes.parts()
        for name in sorted(parts.keys() | own_manifest.parts.keys()):
            if parts.get(name) != own_manifest.parts.get(name):
                raise BackupError(f"the backup is damaged: {name} is not what the manifest says")
        if not {manifest.DATABASE, manifest.SETTINGS} <= parts.keys():
            raise BackupError("the backup is damaged: a part of it is missing")
        return Contents(own_manifest, self._small)


def read(file: BinaryIO, opener: Opener, pass_on: Callable[[bytes], object] | None = None) -> Contents:
    """Decrypt an open backup from its beginning and compare each part with the manifest, which comes last.

    pass_on: takes the database's dump piece by piece, before it is known whether the whole is as it should be. Raises
    BackupError, and the errors of `pass_on` as they are.
    """
    reader = _Reader(pass_on)
    unpacker = Unpacker(reader.receive)
    file.seek(0)
    encryption.decrypt(file, unpacker, opener)
    if not unpacker.ended:
        raise BackupError("the backup is damaged: its end is missing")
    return reader.contents()


def verify(file: BinaryIO, opener: Opener, client: Programs) -> Contents:
    """Read all of a backup, and let pg_restore read the whole dump in it. Raises BackupError.

    pg_restore turns the dump into statements that go nowhere, so each row is decompressed and the end is reached.
    """
    with Child([client.path("pg_restore"), "--file", os.devnull], stdin=subprocess.PIPE) as restore:
        contents = read(file, opener, restore.take)
        restore.finish()
    return contents


def open_file(path: Path) -> BinaryIO:
    """Open a backup. Raises BackupError."""
    try:
        return path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
