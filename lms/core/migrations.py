"""The version of the schema: the revision that this code expects, the database's own, and the upgrade with Alembic."""

from functools import lru_cache

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lms.config import ROOT


def configuration(url: str = "") -> Config:
    """Alembic's configuration for the folder `migrations` and the URL of a database."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


@lru_cache(maxsize=1)
def head() -> str | None:
    """The revision that this code is written for."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def is_current(connection: Connection) -> bool:
    """Tell whether the database is at the revision `head`."""
    exists = connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    return bool(exists) and connection.scalar(text("SELECT version_num FROM alembic_version")) == head()


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the database to a revision, by default to the newest."""
    command.upgrade(configuration(url), revision)
