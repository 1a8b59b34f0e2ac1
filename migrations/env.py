"""Alembic's entry. The database is named by the connection or the address that the command gives."""

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.engine import create_engine

from lms.schema import TARGET

config = context.config


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=TARGET, compare_type=True, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


given = config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    engine = create_engine(config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.connect() as opened:
        _run(opened)
    engine.dispose()
