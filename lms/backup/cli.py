"""The commands `flask backup`, `flask backup-identity` and `flask restore`."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from lms.backup import BackupError, checks, encryption, place, record, restoring, writing
from lms.backup.encryption import Opener
from lms.backup.manifest import Manifest
from lms.backup.restoring import Destination, Restored
from lms.backup.settings import write_private
from lms.backup.snapshot import first_line
from lms.backup.writing import Lock, Source
from lms.config import Settings
from lms.core import clock
from lms.core.transactions import transaction

FOUND = 3  # exit code of a restore whose checks found something
FLASK_OPTIONS = {"--app", "-A", "--env-file", "-e"}  # options of `flask` itself that take a value
WITHOUT_SETTINGS = ("restore", "backup-identity")

file_argument = click.argument("file", type=click.Path(path_type=Path))
passphrase_file = click.option(
    "--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its first line is it."
)
passphrase_prompt = click.option("--passphrase", "asks", is_flag=True, help="Ask for a passphrase.")


@click.command("backup")
@file_argument
@click.option("--recipient", "recipients", multiple=True, help="A public key (age1…); several may be given.")
@passphrase_prompt
@passphrase_file
@click.option("--keep", type=click.IntRange(1), help="In a folder: remove all but so many of the newest backups.")
@with_appcontext
def backup(file: Path, recipients: Sequence[str], asks: bool, passphrase_file: Path | None, keep: int | None) -> None:
    """Write database, keys and settings into one encrypted FILE, or into a folder under the moment's name.

    Encrypted to BACKUP_RECIPIENT or --recipient, to a passphrase (asked for, of a file, or BACKUP_PASSPHRASE), or to both.
    The file is read again from the disk before it gets its name. Exit code 1: nothing was written.
    """
    settings: Settings = current_app.config["SETTINGS"]
    if keep is not None and not file.is_dir():
        raise click.UsageError("--keep removes older backups of a folder; FILE is not one")
    sessions = current_app.extensions["sessions"]
    with _reporting() as progress:
        lock = Lock(tuple(recipients) or settings.backup_recipient, _passphrase(asks, passphrase_file, confirms=True))
        source = Source(settings.database_url, settings.keys_dir, os.environ)
        made = writing.make(source, place.target(file, clock.now()), lock, progress)
        removed = place.keep(file, keep) if keep is not None else []
    _describe(made.manifest)
    click.echo(f"{made.path}: {made.size / 1e6:,.1f} MB, written, read again from the disk and found right.")
    for path in removed:
        click.echo(f"{path} removed.")
    try:
        with transaction(sessions) as db:
            record.made(db, made.manifest, made.size)
    except SQLAlchemyError as error:
        click.echo(f"The audit trail does not tell of it: {first_line(error)}", err=True)


@click.command("backup-identity")
@file_argument
def identity(file: Path) -> None:
    """Make a key pair: the private identity goes into FILE, the public key is printed for BACKUP_RECIPIENT.

    Keep the identity away from the server: whoever has it reads every backup, and without it nobody does.
    """
    private, public = encryption.new_identity()
    try:
        write_private(file, f"# public key: {public}\n{private}\n".encode())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror or error}") from error
    click.echo(
        f"{public}\nThe private identity is in {file}. Two copies of it, at two places, none on the server.", err=False
    )


@click.command("restore")
@file_argument
@click.option("--check", "only_checks", is_flag=True, help="Verify the file, and restore nothing.")
@click.option("--into", "url", envvar="RESTORE_DATABASE_URL", help="The database: postgresql://… , new and empty.")
@click.option("--keys-dir", type=click.Path(path_type=Path), help="The folder for the private keys, new or empty.")
@click.option("--settings-file", type=click.Path(path_type=Path), help="A new file for the settings, as for systemd.")
@click.option("--instance", type=click.Path(path_type=Path), help="Instead: a new folder that `make run` starts on.")
@click.option("--replace", help="Empty the database first; its name, to show that it is meant.")
@click.option("--migrate", is_flag=True, help="Bring a backup of an older version up to date.")
@click.option(
    "--identity", "identity_file", type=click.Path(path_type=Path), help="The file with the private identity."
)
@passphrase_prompt
@passphrase_file
def restore(
    *,
    file: Path,
    only_checks: bool,
    url: str | None,
    keys_dir: Path | None,
    settings_file: Path | None,
    instance: Path | None,
    replace: str | None,
    migrate: bool,
    identity_file: Path | None,
    asks: bool,
    passphrase_file: Path | None,
) -> None:
    """Verify the backup FILE, restore it, and run all checks.

    Exit code 1: nothing was changed. Exit code 3: it was restored, and the checks found something.
    """
    with _reporting() as progress:
        passphrase = _passphrase(asks, passphrase_file, confirms=False)
        identities = encryption.read_identities(identity_file, passphrase) if identity_file else []
        opener = Opener(identities, passphrase)
        if only_checks:
            progress("verifying the backup")
            _describe(restoring.verify(file, opener).manifest)
            click.echo(f"{file} is whole: each part is as it was made, and the dump is readable to its end.")
            return
        work = _work(
            file,
            opener,
            url=url,
            keys_dir=keys_dir,
            settings_file=settings_file,
            instance=instance,
            replace=replace,
            migrate=migrate,
            progress=progress,
        )
        with work as restored:
            faults = _finish(restored, progress)
        progress("")
    where = instance or settings_file
    click.echo(f"Restored.{f' The settings are in {where}.' if where else ' The settings were not written anywhere.'}")
    if instance is not None:
        click.echo(f"Start it with: (set -a; . {instance / 'settings.env'}; INSTANCE_DIR={instance} make run)")
    if faults:
        click.echo(f"The checks found {faults} faults.", err=True)
        sys.exit(FOUND)


def _work(
    file: Path,
    opener: Opener,
    *,
    url: str | None,
    keys_dir: Path | None,
    settings_file: Path | None,
    instance: Path | None,
    replace: str | None,
    migrate: bool,
    progress: Callable[[str], None],
) -> AbstractContextManager[Restored]:
    if instance is not None:
        if keys_dir or settings_file or replace:
            raise click.UsageError("--instance makes database, keys and settings by itself")
        return restoring.restore_instance(file, opener, instance, migrate=migrate, progress=progress)
    if url is None or keys_dir is None:
        raise click.UsageError("say where to: --into and --keys-dir, or --instance; or --check")
    destination = Destination(url, keys_dir, settings_file, replace, migrate)
    return restoring.restore(file, opener, destination, progress)


def _finish(restored: Restored, progress: Callable[[str], None]) -> int:
    """Run the checks and record the restore; the number of faults."""
    _describe(restored.manifest)
    click.echo("Each table has as many rows as the manifest says, and each sequence is past them.")
    faults = 0
    for check in checks.run(restored.subject):
        progress("")
        click.echo(f"{check.name}: {'found nothing' if not check.faults else f'{len(check.faults)} faults'}")
        for fault in check.faults:
            click.echo(f"  {fault}")
        faults += len(check.faults)
    with transaction(restored.subject.sessions) as db:
        record.restored(db, restored.manifest)
    return faults


def _describe(manifest: Manifest) -> None:
    click.echo(
        f"Backup of {manifest.snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC: migration {manifest.migration}, "
        f"{len(manifest.tables)} tables with {manifest.rows:,} rows, {len(manifest.keys)} key files, "
        f"{len(manifest.settings)} settings."
    )
    if manifest.left_out:
        click.echo(f"Not in it, because they are of the machine: {', '.join(manifest.left_out)}.")


def _passphrase(asks: bool, file: Path | None, *, confirms: bool) -> str | None:
    """The passphrase that is asked for, or of the file, or of BACKUP_PASSPHRASE; None without one."""
    if asks:
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirms, err=True))
    if file is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        if not lines or not lines[0].strip():
            raise BackupError(f"{file} is empty; its first line has to be the passphrase")
        return lines[0].strip()
    return os.environ.get("BACKUP_PASSPHRASE") or None


@contextmanager
def _reporting() -> Iterator[Callable[[str], None]]:
    """Print errors as one line with exit code 1, clean up after TERM and Ctrl-C, and tell on a terminal how far it is."""
    shows = sys.stderr.isatty()

    def show(text: str) -> None:
        if shows:
            click.echo(f"\r\033[K{text}", err=True, nl=False)

    former = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield show
    except (BackupError, SQLAlchemyError) as error:
        show("")
        raise click.ClickException(first_line(error)) from error
    finally:
        show("")
        for number, handler in former.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def is_requested(command: Sequence[str]) -> bool:
    """Tell whether this command line is a `flask` command of a machine that has no settings yet."""
    if click.get_current_context(silent=True) is None:
        return False
    words = iter(command)
    for word in words:
        if word in FLASK_OPTIONS:
            next(words, None)
        elif not word.startswith("-"):
            return word in WITHOUT_SETTINGS
    return False


def create_app() -> Flask:
    """Create an application with these commands alone: the settings of a lost system are in its backup."""
    app = Flask("restore")
    for command in (restore, identity):
        app.cli.add_command(command)
    return app
