"""`flask demo load --scale` against a bare COPY of the same rows into the same tables.

Bare: the rows as files of COPY's own binary form, read by the server into tables without constraints, and then every index
of the tables made. What the load does beyond that: it thinks of the rows, seals personal fields, checks every constraint,
writes the ledger with all that is kept beside it, and can be taken back whole. The load is measured once, for it makes what
the other measurements of the years stand on.
"""

from collections.abc import Sequence
from functools import partial

import psycopg

from benchmarks.measurement import Measurement, once
from benchmarks.stage import Ground, Stage
from lms.demo.decade.making import FILLED, LEDGER

TABLES = (*FILLED, *LEDGER, "person_time_month", "person_time_host", "person_time_lead", "people_count")
CEILING = 3.0


def measure(ground: Ground) -> Sequence[Measurement]:
    """The load that was, and the COPY. Nothing where the years were there before."""
    if not isinstance(ground, Stage) or ground.loaded is None:
        return ()
    copied = indexed = 0.0
    with psycopg.connect(ground.server.url("lms", "postgresql"), autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        for table in TABLES:
            file = ground.server.data_dir / f"{table}.copy"
            connection.execute(f"COPY (SELECT * FROM {table}) TO '{file}' (FORMAT binary)")
            connection.execute(f"CREATE TABLE bare_{table} (LIKE {table})")
            copied += once(partial(connection.execute, f"COPY bare_{table} FROM '{file}' (FORMAT binary)"))
            file.unlink()
            for definition in _indexes(connection, table):
                indexed += once(partial(connection.execute, definition))
            connection.execute(f"DROP TABLE bare_{table}")
    return [
        Measurement("demo load, whole", ground.loaded, "s"),
        Measurement("bare COPY of the same rows", copied, "s"),
        Measurement("their indexes", indexed, "s"),
        Measurement("load / bare", ground.loaded / (copied + indexed), "×", ceiling=CEILING),
    ]


def _indexes(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> list[str]:
    """The statements that make a table's indexes for its bare copy."""
    found = connection.execute(
        "SELECT replace(replace(pg_get_indexdef(indexrelid), 'INDEX ', 'INDEX bare_'), ' ON public.', ' ON public.bare_')"
        " FROM pg_index WHERE indrelid = %s::regclass",
        (table,),
    )
    return [str(row[0]) for row in found]
