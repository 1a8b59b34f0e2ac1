"""Making a backup: one snapshot of the database, the keys and the settings into one file, which is read again at once."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from lms.backup import BackupError, encryption, key_parts, manifest, place, programs, reading, settings, snapshot
from lms.backup.archive import END, PIECE_BYTES, member
from lms.backup.encryption import Opener
from lms.backup.manifest import Manifest, PartHashes
from lms.backup.programs import Child, Programs
from lms.backup.snapshot import Exported
from lms.core import clock

PROGRAM = "first-aid-lms"
COMPRESSION = (
    "--compress=3"  # gzip, which each build of PostgreSQL has; 6, its default, takes twice the time for 5 % less
)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """The system to back up: its database, its keys, and the environment that has its settings."""

    database_url: str
    keys_dir: Path
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Lock:
    """The public keys and the passphrase that a backup is made for; each of them opens it."""

    recipients: tuple[str, ...] = ()
    passphrase: str | None = None


@dataclass(frozen=True)
class Backup:
    """A backup that was written and checked. `size`: its bytes on disk."""

    path: Path
    size: int
    manifest: Manifest


def make(source: Source, path: Path, lock: Lock, progress: Progress) -> Backup:
    """Write a backup to a new path and read it again from the disk; it has its name only when it was found right.

    Raises BackupError; then there is no file of that name.
    """
    if not lock.recipients and lock.passphrase is None:
        raise BackupError("a backup is encrypted: set BACKUP_RECIPIENT, or give --recipient or a passphrase")
    encryption.check_recipients(lock.recipients)
    with place.unfinished(path) as file:
        with snapshot.export(source.database_url) as exported:
            client = programs.find(exported.server_version // 10_000)
            writer = _Writer(source, exported, client, progress)
            own_opener = encryption.encrypt(writer.archive(), file, lock.recipients, lock.passphrase)
        place.write_down(file)
        progress("checking what was written")
        opener = own_opener if lock.passphrase is None else Opener(passphrase=lock.passphrase)
        if reading.verify(file, opener, client).manifest != writer.manifest:
            raise BackupError("the backup was not written as it was made; is the disk in order?")
        return Backup(path, file.seek(0, os.SEEK_END), writer.manifest)


class _Writer:
    """The parts of the archive, one after the other, and the manifest of those that went by."""

    def __init__(self, source: Source, exported: Exported, client: Programs, progress: Progress) -> None:
        self._source = source
        self._exported = exported
        self._client = client
        self._progress = progress
        self._hashes = PartHashes()
        self._moment: datetime = clock.now()
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest. Raises RuntimeError before the archive was taken to its end."""
        if self._manifest is None:
            raise RuntimeError("the archive is not complete yet")
        return self._manifest

    def archive(self) -> Iterator[bytes]:
        """The bytes of the archive. The keys are read after the snapshot, so the file of each key in it is there."""
        migration = snapshot.migration(self._exported)
        collected = settings.collect(self._source.environ)
        keys = self._keys()
        self._progress("counting the rows of each table")
        tables = snapshot.count_rows(self._exported)
        record_heads = snapshot.record_heads(self._exported)
        yield from self._member(manifest.SETTINGS, collected.as_json())
        for name, content in collected.pictures.items():
            yield from self._member(f"{manifest.FILES}{name}", content)
        for name, content in keys.items():
            yield from self._member(f"{manifest.KEYS}{name}", content)
        yield from self._database()
        self._manifest = Manifest(
            format=manifest.FORMAT,
            made_at=self._moment,
            program=PROGRAM,
            migration=migration,
            server_version=self._exported.server_version,
            dump_version=self._client.major,
            snapshot=self._exported.moment,
            tables=tables,
            settings=sorted(collected.values),
            left_out=list(collected.left_out),
            keys=sorted(keys),
            record_heads=record_heads,
            parts=self._hashes.parts(),
        )
        yield from member(manifest.NAME, self._manifest.as_json(), self._moment)
        yield END

    def _keys(self) -> dict[str, bytes]:
        with Session(self._exported.connection) as db:
            published = key_parts.published(db)
        files = key_parts.without_unpublished(published, key_parts.read_folder(self._source.keys_dir))
        for fault in key_parts.faults(published, files):
            raise BackupError(f"{fault} (KEYS_DIR is {self._source.keys_dir}); a backup without it restores nothing")
        return files

    def _database(self) -> Iterator[bytes]:
        command = [self._client.path("pg_dump"), "--format=custom", COMPRESSION, "--no-password"]
        command += [f"--snapshot={self._exported.name}", "--no-owner", "--no-privileges"]
        environment = programs.connection_environment(self._source.database_url)
        self._progress("reading the database")
        written = 0
        with Child(command, environment=environment, stdout=subprocess.PIPE) as dump:
            number = 0
            while piece := dump.stdout.read(PIECE_BYTES):
                yield from self._member(f"{manifest.DATABASE}/{number:06d}", piece)
                number += 1
                written += len(piece)
                self._progress(f"reading the database: {written / 1e6:,.0f} MB")
            dump.wait()

    def _member(self, name: str, content: bytes) -> Iterator[bytes]:
        self._hashes.add(name, content)
        return member(name, content, self._moment)
