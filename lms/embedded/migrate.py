"""The command `flask migrate`: bring the database's tables to where this code expects them."""

import click
from alembic import command
from alembic.config import Config
from flask import current_app
from flask.cli import with_appcontext

from lms.config import ROOT


def configuration(url: str) -> Config:
    """Alembic's settings for one database, without a file of its own: there is one folder of migrations."""
    settings = Config()
    for name, value in {"script_location": str(ROOT / "migrations"), "sqlalchemy.url": url}.items():
        settings.set_main_option(name, value.replace("%", "%%"))  # a % would begin a reference to another option
    return settings


@click.command("migrate")
@click.option("--revision", default="head", show_default=True, help="The migration to go to.")
@with_appcontext
def cli(revision: str) -> None:
    """Bring the database's tables up to date."""
    command.upgrade(configuration(current_app.config["SETTINGS"].database_url), revision)
