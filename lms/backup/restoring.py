"""Restoring a backup: everything is verified before anything is touched, and the database comes back whole or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from certificates.records import heads
from lms.backup import BackupError, key_parts, programs, reading, settings, target
from lms.backup.checks import Subject
from lms.backup.encryption import Opener
from lms.backup.manifest import Manifest
from lms.backup.reading import Contents
from lms.config import Settings
from lms.core import clock, crypto, migrations, records
from lms.core.engine import make_engine
from lms.core.transactions import make_sessions
from lms.embedded import environment, schema
from lms.embedded.failure import StartError
from lms.embedded.place import Place
from lms.embedded.postgres import Server

UNFINISHED = ".unfinished"
RESTORING = ".restoring"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Destination:
    """The database, the keys folder and the settings file to restore into. `replace`: the database's name, to empty it.

    migrate: bring a backup of an older version up to date.
    """

    url: str
    keys_dir: Path
    settings_file: Path | None = None
    replace: str | None = None
    migrate: bool = False


@dataclass(frozen=True)
class Restored:
    """A restored system: its manifest, its settings and pictures, and what its checks look at."""

    manifest: Manifest
    settings: Mapping[str, str]
    pictures: Mapping[str, bytes]
    subject: Subject


def verify(path: Path, opener: Opener) -> Contents:
    """Read a backup whole, its dump included, and write nothing anywhere. Raises BackupError."""
    with reading.open_file(path) as file:
        return reading.verify(file, opener, programs.newest())


@contextmanager
def restore(path: Path, opener: Opener, destination: Destination, progress: Progress) -> Iterator[Restored]:
    """Verify, restore, and give the restored system for its checks. Raises BackupError; then nothing was changed.

    The keys and the settings get their names right after the database's one transaction.
    """
    plain_target = target.check(destination.url, destination.replace)
    _check_paths(destination)
    progress("verifying the backup")
    with reading.open_file(path) as file:
        contents = reading.verify(file, opener, programs.newest())
        manifest = contents.manifest
        migrates = _check_migration(manifest, destination.migrate)
        target.check_version(destination.url, manifest)
        values = settings.parse(contents.settings)
        client = programs.find(manifest.dump_version)
        with _placed(destination, contents, values):
            progress("restoring the database")
            target.restore(plain_target, file, opener, manifest, client)
    # Before anything writes: this server counts transactions from its own start.
    records.continue_numbers(destination.url)
    if migrates:
        progress(f"bringing the tables from {manifest.migration} to {migrations.head()}")
        configure(values)
        migrations.upgrade(_sqlalchemy_url(destination.url))
        records.continue_numbers(destination.url)
    progress("gathering the planner's statistics")
    target.prepare(destination.url)
    configure(values)
    engine = make_engine(_sqlalchemy_url(destination.url))
    try:
        with engine.connect() as connection:
            heads.note(connection, destination.keys_dir, list(manifest.record_heads), accept=True)
        subject = Subject(make_sessions(engine), destination.keys_dir, manifest.record_heads)
        yield Restored(manifest, values, contents.pictures(), subject)
    finally:
        engine.dispose()


@contextmanager
def restore_instance(
    path: Path, opener: Opener, instance: Path, *, migrate: bool, progress: Progress, durable: bool = True
) -> Iterator[Restored]:
    """Restore into a new folder that `flask up` (`make run`) then starts on. Raises BackupError; then there is no folder.

    The folder is made beside its place and moved there whole. The settings besides the two secrets lie in
    `settings.env`. durable: wait for the disk at each write.
    """
    instance = instance.absolute()
    fresh = instance.with_name(f"{instance.name}{RESTORING}")
    if instance.exists() and (not instance.is_dir() or any(instance.iterdir())):
        raise BackupError(f"{instance} is there already; a backup is restored into a new folder")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        password = environment.database_password(Place(fresh, "", 0))
        with Server(fresh / "postgres", fsync=durable, password=password) as server:
            server.create_database(environment.DATABASE)
            destination = Destination(server.url(environment.DATABASE), fresh / "keys", migrate=migrate)
            with restore(path, opener, destination, progress) as restored:
                _write_instance(fresh, instance, restored)
                yield restored
        if instance.exists():
            instance.rmdir()
        fresh.rename(instance)
    except (StartError, OSError) as error:
        raise BackupError(f"{instance} cannot be made: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write_instance(folder: Path, final: Path, restored: Restored) -> None:
    values = dict(restored.settings)
    for name, content in restored.pictures.items():
        settings.write_private(folder / name, content)
        values |= {key: str(final / name) for key, value in restored.settings.items() if value == name}
    for name, file in (("SECRET_KEY", "secret_key"), ("FIELD_KEY", "field_key")):
        settings.write_private(folder / file, f"{values.pop(name)}\n".encode())
    text = settings.as_environment_file(values, _heading(restored.manifest))
    settings.write_private(folder / "settings.env", text.encode())


def configure(values: Mapping[str, str]) -> None:
    """Let this process read the restored system: its FIELD_KEY, the earlier ones, and its time zone."""
    fallbacks = [part.strip() for part in values.get("FIELD_KEY_FALLBACKS", "").split(",") if part.strip()]
    crypto.configure(values["FIELD_KEY"], fallbacks)
    clock.configure(ZoneInfo(values.get("TIME_ZONE") or Settings.model_fields["time_zone"].default))


def _check_migration(manifest: Manifest, migrate: bool) -> bool:
    """Tell whether the backup has to be migrated. Raises BackupError for one of a newer version, or without leave."""
    if manifest.migration == migrations.head():
        return False
    if manifest.migration not in schema.revisions():
        raise BackupError(
            f"the backup was made by a newer version (migration {manifest.migration}); use that version of the program"
        )
    if not migrate:
        raise BackupError(
            f"the backup is of migration {manifest.migration}, and this version is at {migrations.head()}: "
            "add --migrate to bring it up to date, or use the version that made it"
        )
    return True


def _check_paths(destination: Destination) -> None:
    keys, file = destination.keys_dir, destination.settings_file
    if keys.exists() and (not keys.is_dir() or any(keys.iterdir())):
        raise BackupError(f"{keys} is not empty; private keys are never overwritten. Name another --keys-dir")
    if file is not None and (file.exists() or file.is_symlink()):
        raise BackupError(f"{file} is there already; name another --settings-file")
    for path in (keys, *([file] if file is not None else [])):
        if not path.absolute().parent.is_dir():
            raise BackupError(f"{path.absolute().parent} is not a folder")


@contextmanager
def _placed(destination: Destination, contents: Contents, values: Mapping[str, str]) -> Iterator[None]:
    """Write keys, pictures and settings beside their places; they get their names when the block ends well."""
    keys = destination.keys_dir.absolute()
    drafts: list[tuple[Path, Path]] = []
    try:
        draft = keys.with_name(f".{keys.name}.{os.getpid()}{UNFINISHED}")
        drafts.append((draft, keys))
        key_parts.write_folder(draft, contents.keys())
        if destination.settings_file is not None:
            file = destination.settings_file.absolute()
            placed = dict(values)
            for name, content in contents.pictures().items():
                picture = file.with_name(name)
                drafts.append((picture.with_name(f".{name}.{os.getpid()}{UNFINISHED}"), picture))
                settings.write_private(drafts[-1][0], content)
                placed |= {key: str(picture) for key, value in values.items() if value == name}
            drafts.append((file.with_name(f".{file.name}.{os.getpid()}{UNFINISHED}"), file))
            text = settings.as_environment_file(placed, _heading(contents.manifest))
            settings.write_private(drafts[-1][0], text.encode())
        yield
        for draft, final in drafts:
            draft.rename(final)
    except OSError as error:
        raise BackupError(f"keys and settings cannot be written: {error}") from error
    finally:
        for draft, _final in drafts:
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                draft.unlink(missing_ok=True)


def _heading(manifest: Manifest) -> str:
    left_out = ", ".join(manifest.left_out) or "nothing"
    return f"Settings of the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC. Left out, as of that machine: {left_out}."


def _sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
