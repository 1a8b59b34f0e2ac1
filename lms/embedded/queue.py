"""The queue in PostgreSQL, for a machine without Redis: kombu's tables, made before anybody uses them.

kombu makes them when a process first opens the queue, and looks before it makes: of two processes that do so
at once, one fails with "already exists" (seen with four). It also keeps each message after it was delivered,
so they are cleared away here, once a start.
"""

import psycopg

from lms.embedded.environment import QUEUE_PREFIX
from lms.embedded.schema import plain

QUEUE_NAME = "celery"


def prepare(broker_url: str) -> None:
    """Make the tables and the queue when missing; clear what was delivered. Other brokers need nothing."""
    if not broker_url.startswith(QUEUE_PREFIX):
        return
    address = broker_url.removeprefix(QUEUE_PREFIX)
    if not _has_queue(address):
        _make_queue(broker_url)
    with psycopg.connect(plain(address)) as connection:
        connection.execute("DELETE FROM kombu_message WHERE NOT visible")


def _has_queue(address: str) -> bool:
    with psycopg.connect(plain(address)) as connection:
        table = connection.execute("SELECT to_regclass('kombu_queue') IS NOT NULL").fetchone()
        if table is None or not table[0]:
            return False
        row = connection.execute("SELECT FROM kombu_queue WHERE name = %s", [QUEUE_NAME]).fetchone()
    return row is not None


def _make_queue(broker_url: str) -> None:
    from kombu.connection import Connection  # noqa: PLC0415 - half a second, on the first start only

    with Connection(broker_url) as connection, connection.channel() as channel:  # type: ignore[no-untyped-call]
        channel.queue_declare(QUEUE_NAME)
        channel.session.close()
