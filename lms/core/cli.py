"""The commands `migrate`, for the schema, `translations`, for the catalogue, and `field-keys`, for what is sealed."""

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import with_appcontext

from lms.core import crypto, migrations, records, resealing, sealed_columns, translations


@click.command("migrate")
@click.option("--revision", default="head", show_default=True, help="The migration to go to.")
@with_appcontext
def migrate(revision: str) -> None:
    """Bring the database's tables up to date."""
    url = current_app.config["SETTINGS"].database_url
    migrations.upgrade(url, revision)
    if records.continue_numbers(url):
        click.echo("The records' transaction numbers go on where they ended in the database that was restored.")
    click.echo(f"The database stands at {revision if revision != 'head' else migrations.head()}.")


@click.group("translations")
def translate() -> None:
    """The Chinese catalogue."""


@translate.command("check")
def check() -> None:
    """Name each string that is not in both languages; exit 1 if there is one."""
    problems = translations.problems()
    for problem in problems:
        click.echo(f"{problem.place}: {problem.message}")
    if problems:
        sys.exit(f"{len(problems)} strings are not right in both languages")


@translate.command("update")
def update() -> None:
    """Bring the catalogue's msgids in line with the code, keeping the Chinese that is there."""
    click.echo(f"{translations.update()} strings have no Chinese yet.")


@click.group("field-keys")
def field_keys() -> None:
    """The keys with which personal data is sealed (FIELD_KEY); docs/operations.md says how one is replaced."""


@field_keys.command("reseal")
@with_appcontext
def reseal() -> None:
    """Seal everything anew with FIELD_KEY, while the system runs. Can be stopped at any time, and goes on where it stopped."""
    sessions = current_app.extensions["sessions"]
    click.echo(f"Sealing with key {crypto.cipher().number}; configured: {_numbers(crypto.cipher().numbers)}.")
    unreadable: list[str] = []
    last = ""
    with _stop_noted() as stops:
        for progress in resealing.reseal(sessions, stopped=lambda: bool(stops)):
            report = f"{progress.table}: {progress.done} of {max(progress.total, progress.done)}"
            if progress.total and report != last:
                click.echo(report)
                last = report
            unreadable += [row for row in progress.unreadable if row not in unreadable]
    if stops:
        sys.exit("Stopped. Start the command again to go on.")
    for hashes in sealed_columns.keyed_hashes():
        ended = resealing.end_hashes(sessions, hashes) if len(crypto.cipher().numbers) > 1 else 0
        if ended:
            click.echo(f"{hashes.place}: {ended} ended with the former key; their owners are told.")
    for row in unreadable:
        click.echo(f"no configured key opens {row}", err=True)
    _check()


@field_keys.command("check")
@with_appcontext
def check_field_keys() -> None:
    """Count what is sealed with each key; exit 1 if anything is sealed with another one than FIELD_KEY."""
    _check()


@contextmanager
def _stop_noted() -> Iterator[list[int]]:
    """Note INT (Ctrl-C) and TERM in the list instead of ending the process, so that a batch is finished first."""
    stops: list[int] = []
    former = {
        number: signal.signal(number, lambda sent, _frame: stops.append(sent))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stops
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _check() -> None:
    newest, beside = crypto.cipher().number, 0
    with current_app.extensions["sessions"]() as db:
        for sums in resealing.count(db):
            beside += sums.beside(newest)
            counts = ", ".join(f"{many} with key {number}" for number, many in sorted(sums.by_key.items()))
            click.echo(f"{sums.place}: {counts or 'nothing'}")
        for hashes in sealed_columns.keyed_hashes():
            many = hashes.count(db)
            if many:
                click.echo(f"{hashes.place}: {many} depend on the key with which they were made and end with it")
                beside += many if len(crypto.cipher().numbers) > 1 else 0
    if beside:
        sys.exit(f"{beside} values depend on another key than key {newest}: leave it in FIELD_KEY_FALLBACKS.")
    click.echo(f"Everything is sealed with key {newest}: no other one is needed.")


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)
