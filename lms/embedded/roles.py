"""The logins of `flask up`'s web server and worker: members of the roles that the migrations make, not the owner of the tables.

So a fault in the web cannot alter a line of record, whatever SQL it sends: PostgreSQL refuses.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql

from lms.config import ROOT
from lms.embedded.postgres import SUPERUSER, Server

RIGHTS = ROOT / "migrations" / "roles.sql"
WEB, WORKER = "lms_site", "lms_tasks"
MEMBER_OF = {WEB: "lms_web", WORKER: "lms_worker"}


def prepare(
    server: Server, database: str, queue_database: str | None, passwords: Mapping[str, str] | None = None
) -> None:
    """Make the logins when missing, and let them use the queue's tables when the queue is in this server.

    The rights are given anew at each start: a restored dump brings the tables and not the roles. passwords: by login, where
    the server demands them.
    """
    with server.connect(database) as connection:
        connection.execute(RIGHTS.read_bytes())
        for login, role in MEMBER_OF.items():
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login]).fetchone() is None:
                statement = sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}")
                connection.execute(statement.format(sql.Identifier(login), sql.Identifier(role)))
            if passwords is not None:
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(login), sql.Literal(passwords[login])))
    if queue_database is None:
        return
    with server.connect(queue_database) as connection:
        for user in map(sql.Identifier, MEMBER_OF.values()):
            tables = sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}")
            connection.execute(tables.format(user))
            sequences = sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}")
            connection.execute(sequences.format(user))


def new_passwords() -> dict[str, str]:
    """A password for each login; nobody need keep them, since each start sets new ones."""
    return {login: secrets.token_hex(32) for login in MEMBER_OF}


def as_login(login: str, environ: Mapping[str, str], password: str | None = None) -> dict[str, str]:
    """The addresses of the environment that name our own server's owner, with the login and its password in its place."""
    changed = {}
    for name in ("DATABASE_URL", "BROKER_URL"):
        parts = urlsplit(environ.get(name, ""))
        owner, separator, host = parts.netloc.rpartition("@")
        if separator and not host and owner.partition(":")[0] == SUPERUSER:
            user = login if password is None else f"{login}:{password}"
            changed[name] = urlunsplit(parts._replace(netloc=f"{user}@"))
    return changed
