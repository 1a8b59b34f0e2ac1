"""`flask keys`: make, change and list the keys that sign certificates. For the machine of the signing worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from certificates import issuing, signing_keys
from certificates.keys import MAX_KEY_NUMBER, private_key_path, qr_kid
from certificates.models import SigningKey
from lms.config import Settings
from lms.core import clock
from lms.core.db import transaction
from lms.core.errors import DomainError

cli = AppGroup("keys", help="Keys that sign certificates: private files of this machine, public rows of the database.")
days_option = click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=signing_keys.DAYS,
    show_default=True,
    help="How long the key may sign.",
)


@cli.command()
@days_option
def ensure(days: int) -> None:
    """Make the first key if there is none; otherwise look that the active one is here."""
    settings = _settings()
    first, last = signing_keys.window(clock.today(settings.zone), days)
    if settings.lms_embedded:
        # A laptop tries the system on a year that has already passed, and certificates are of that year.
        first = date(first.year - 1, 1, 1)
    with transaction(current_app.extensions["sessions"]) as db, _one_line():
        key = signing_keys.ensure(
            db, settings.keys_dir, not_before=first, not_after=last, replace_lost=settings.lms_embedded
        )
    _tell(key, settings)


@cli.command()
@days_option
def create(days: int) -> None:
    """Make a key where none is active."""
    settings = _settings()
    first, last = signing_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _one_line():
        key = signing_keys.create(db, settings.keys_dir, not_before=first, not_after=last)
    _tell(key, settings)


@cli.command()
@days_option
def rotate(days: int) -> None:
    """Retire the active key and make the next. Certificates that the old one signed stay valid."""
    settings = _settings()
    first, last = signing_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _one_line():
        key = signing_keys.rotate(db, settings.keys_dir, today=first, not_after=last)
    _tell(key, settings)


@cli.command()
def retire() -> None:
    """Let the active key sign no more. What it signed stays valid; certificates wait until another is made."""
    settings = _settings()
    with transaction(current_app.extensions["sessions"]) as db, _one_line():
        key = signing_keys.retire(db, today=clock.today(settings.zone))
        owed = issuing.count_owed(db)
    click.echo(
        f"{qr_kid(key.number)} is {key.state}. No key signs now: {owed} certificates wait. Next: flask keys create"
    )


@cli.command()
@click.argument("kid")
@click.option(
    "--at",
    "moment",
    required=True,
    help="When it was out of our hands at the earliest, as 2026-03-05T14:00 in the branch's time.",
)
@days_option
def compromise(kid: str, moment: str, days: int) -> None:
    """Believe the key KID (as qr-3) only for what the ledger knew before a moment. An active key is replaced at once."""
    settings = _settings()
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise click.BadParameter("write it as 2026-03-05T14:00", param_hint="--at") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=settings.zone)
    name, _, number = kid.rpartition("-")
    if name != "qr" or not number.isdecimal() or int(number) > MAX_KEY_NUMBER:
        raise click.BadParameter("write it as in `flask keys list`: qr-3", param_hint="KID")
    first, last = signing_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _one_line():
        done = signing_keys.compromise(db, settings.keys_dir, int(number), at, today=first, not_after=last)
    believed = done.key.compromised_at.astimezone(settings.zone) if done.key.compromised_at else at
    click.echo(f"{kid} is {done.key.state}: believed for what the ledger knew before {believed:%Y-%m-%d %H:%M:%S %Z}")
    if done.doubted:
        click.echo(f"{done.doubted} certificates of this key were recorded since then and are refused: reissue them")
    if done.successor is not None:
        _tell(done.successor, settings)


@cli.command("list")
def list_() -> None:
    """List all keys, and which private files are on this machine."""
    settings = _settings()
    with transaction(current_app.extensions["sessions"]) as db:
        for key in signing_keys.listing(db):
            here = (
                "private file here"
                if private_key_path(settings.keys_dir, key.kid).is_file()
                else "no private file here"
            )
            since = ""
            if key.compromised_at is not None:
                since = f", compromised {key.compromised_at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S %Z}"
            click.echo(f"{key.kid}  {key.state:<11}  {key.not_before} to {key.not_after}  {here}{since}")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _tell(key: SigningKey, settings: Settings) -> None:
    kid = qr_kid(key.number)
    path = private_key_path(settings.keys_dir, kid)
    click.echo(f"{kid} is {key.state}, signs {key.not_before} to {key.not_after}, private file {path}")


@contextmanager
def _one_line() -> Iterator[None]:
    """A refusal as one line and exit code 1."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(str(error)) from error
