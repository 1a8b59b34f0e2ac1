"""`flask keys`: make, change and list the keys that sign. For the signing worker's machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import issuer_keys, qr_keys
from certificates.keys.issuer_keys import Purpose
from certificates.keys.key_files import private_key_path
from certificates.keys.public_keys import MAX_KEY_NUMBER, qr_kid
from certificates.models import IssuerKey, SigningKey
from certificates.verification import public_figures, status_lists, type_table
from lms.config import Settings
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.transactions import transaction

cli = AppGroup("keys", help="Keys that sign certificates: private files of this machine, public rows of the database.")
days_option = click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=qr_keys.DEFAULT_DAYS,
    show_default=True,
    help="How long the key may sign.",
)

CODES = "qr"
purpose_option = click.option(
    "--for",
    "purpose",
    type=click.Choice([CODES, *(purpose.value for purpose in Purpose)]),
    default=CODES,
    show_default=True,
    help="What the key signs: codes of certificates, badges, or status lists. --days is of codes alone.",
)


@cli.command()
@days_option
def ensure(days: int) -> None:
    """Make the first key if there is none; otherwise look that the active one is here."""
    settings = _settings()
    first, last = qr_keys.window(clock.today(settings.zone), days)
    if settings.lms_embedded:
        # A laptop tries the system on a year that has already passed, and certificates are of that year.
        first = date(first.year - 1, 1, 1)
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        key = qr_keys.ensure(
            db, settings.keys_dir, not_before=first, not_after=last, replace_lost=settings.lms_embedded
        )
    _print_qr_key(key, settings)


@cli.command()
@purpose_option
@days_option
def create(purpose: str, days: int) -> None:
    """Make a key where none is active."""
    settings = _settings()
    if purpose != CODES:
        with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
            _print_issuer_key(issuer_keys.create(db, settings.keys_dir, Purpose(purpose)), settings)
        return
    first, last = qr_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        key = qr_keys.create(db, settings.keys_dir, not_before=first, not_after=last)
    _print_qr_key(key, settings)


@cli.command()
@purpose_option
@days_option
def rotate(purpose: str, days: int) -> None:
    """Retire the active key and make the next. What the old one signed stays valid, and the old one published."""
    settings = _settings()
    if purpose != CODES:
        with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
            _print_issuer_key(issuer_keys.rotate(db, settings.keys_dir, Purpose(purpose)), settings)
        return
    first, last = qr_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        key = qr_keys.rotate(db, settings.keys_dir, today=first, not_after=last)
    _print_qr_key(key, settings)


@cli.command()
@purpose_option
def retire(purpose: str) -> None:
    """Let the active key sign no more. What it signed stays valid; what is owed waits until another is made."""
    settings = _settings()
    if purpose != CODES:
        with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
            kid = issuer_keys.retire(db, Purpose(purpose)).kid
        click.echo(f"{kid} is retired. Nothing signs now. Next: flask keys create --for {purpose}")
        return
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        key = qr_keys.retire(db, today=clock.today(settings.zone))
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
    """Believe the key KID (as qr-3) only for what the ledger knew before a moment. An active key is replaced at once.

    A key of badges or status lists (as badge-1) is believed for nothing any more: lists are signed anew at once, badges as
    soon as the worker comes to them.
    """
    settings = _settings()
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise click.BadParameter("write it as 2026-03-05T14:00", param_hint="--at") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=settings.zone)
    if issuer_keys.purpose_of(kid) is not None:
        _compromise_issuer_key(kid, at)
        return
    name, _, number = kid.rpartition("-")
    if name != "qr" or not number.isdecimal() or int(number) > MAX_KEY_NUMBER:
        raise click.BadParameter("write it as in `flask keys list`: qr-3, badge-1, status-1", param_hint="KID")
    first, last = qr_keys.window(clock.today(settings.zone), days)
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        compromise_result = qr_keys.compromise(db, settings.keys_dir, int(number), at, today=first, not_after=last)
    trusted_before = (
        compromise_result.key.compromised_at.astimezone(settings.zone) if compromise_result.key.compromised_at else at
    )
    click.echo(
        f"{kid} is {compromise_result.key.state}: believed for what the ledger knew before {trusted_before:%Y-%m-%d %H:%M:%S %Z}"
    )
    if compromise_result.refused_count:
        click.echo(
            f"{compromise_result.refused_count} certificates of this key were recorded since then and are refused: reissue them"
        )
    if compromise_result.successor is not None:
        _print_qr_key(compromise_result.successor, settings)


@cli.command("list")
def list_() -> None:
    """List all keys, and which private files are on this machine."""
    settings = _settings()
    with transaction(current_app.extensions["sessions"]) as db:
        for key in qr_keys.public_keys(db):
            _print_key(key.kid, key.state, f"{key.not_before} to {key.not_after}", key.compromised_at)
        for issuer_key in issuer_keys.public_keys(db):
            period = f"made {issuer_key.made_at.astimezone(settings.zone):%Y-%m-%d}"
            _print_key(issuer_key.kid, issuer_key.state, period, issuer_key.compromised_at)


def _print_key(kid: str, state: str, period: str, compromised_at: datetime | None) -> None:
    settings = _settings()
    private_file = "private file here" if private_key_path(settings.keys_dir, kid).is_file() else "no private file here"
    since = ""
    if compromised_at is not None:
        since = f", compromised {compromised_at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S %Z}"
    click.echo(f"{kid}  {state:<11}  {period}  {private_file}{since}")


def _compromise_issuer_key(kid: str, at: datetime) -> None:
    settings = _settings()
    with transaction(current_app.extensions["sessions"]) as db, _as_click_error():
        _key, successor, owed = issuer_keys.compromise(db, settings.keys_dir, kid, at)
        signed = 0
        if successor is not None and issuer_keys.purpose_of(kid) is Purpose.STATUS:
            signed = status_lists.sign_due(db, Branch.of(settings), anew=True)
            type_table.sign_due(db, Branch.of(settings), anew=True)
            public_figures.sign_due(db, Branch.of(settings), anew=True)
    click.echo(f"{kid} is compromised: nothing that it signed is believed any more")
    if successor is not None:
        _print_issuer_key(successor, settings)
    if owed:
        click.echo(f"{owed} badges are owed anew")
    if signed:
        click.echo(f"{signed} status lists were signed anew")


def _print_issuer_key(key: IssuerKey, settings: Settings) -> None:
    click.echo(f"{key.kid} is {key.state}, private file {private_key_path(settings.keys_dir, key.kid)}")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _print_qr_key(key: SigningKey, settings: Settings) -> None:
    kid = qr_kid(key.number)
    path = private_key_path(settings.keys_dir, kid)
    click.echo(f"{kid} is {key.state}, signs {key.not_before} to {key.not_after}, private file {path}")


@contextmanager
def _as_click_error() -> Iterator[None]:
    """Print a DomainError as one line and end with exit code 1."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(str(error)) from error
