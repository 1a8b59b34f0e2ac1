"""The commands `migrate`, for the schema, and `translations`, for the catalogue of translations."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from lms.core import migrations, records, translations


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
