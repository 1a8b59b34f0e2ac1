"""`python -m benchmarks.full_load [scale]`: `flask demo load --scale` against a bare COPY of the same rows into the same tables.

Bare: the rows as files of COPY's own binary form, read by the server into tables without constraints, and then every index
of the tables made. What the load does beyond that: it thinks of the rows, seals personal fields, checks every constraint,
writes the ledger with all that is kept beside it, and can be taken back whole. Exit 1 above 3 times, 1 being full size.
"""

import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

import psycopg

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage, stage
from lms.demo.decade.making import FILLED, LEDGER

TABLES = (*FILLED, *LEDGER)
KEPT = ("person_time_month", "person_time_host", "person_time_lead", "people_count")
CEILING = 3.0


def main(scale: str) -> int:
    """Load, copy, compare; the exit code."""
    with stage() as set_stage:
        loaded = _seconds(lambda: _load(set_stage, scale))
        print(Measurement("demo load, whole", loaded, "s").line(), flush=True)
        with psycopg.connect(set_stage.server.url("lms", "postgresql"), autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '512MB'")
            copied = indexed = 0.0
            for table in (*TABLES, *KEPT):
                file = set_stage.server.data_dir / f"{table}.copy"
                connection.execute(f"COPY (SELECT * FROM {table}) TO '{file}' (FORMAT binary)")
                connection.execute(f"CREATE TABLE bare_{table} (LIKE {table})")
                copied += _seconds(partial(connection.execute, f"COPY bare_{table} FROM '{file}' (FORMAT binary)"))
                file.unlink()
                for definition in _indexes(connection, table):
                    indexed += _seconds(partial(connection.execute, definition))
        print(Measurement("bare COPY", copied, "s").line())
        print(Measurement("its indexes", indexed, "s").line())
        ratio = Measurement(f"load / bare, scale {scale}", loaded / (copied + indexed), "×", ceiling=CEILING)
        print(ratio.line())
        return 0 if ratio.reached else 1


def _seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def _load(set_stage: Stage, scale: str) -> None:
    result = set_stage.app.test_cli_runner().invoke(args=["demo", "load", "--scale", scale])
    if result.exit_code:
        raise RuntimeError(result.output)


def _indexes(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> list[str]:
    """The statements that make a table's indexes for its bare copy."""
    found = connection.execute(
        "SELECT replace(replace(pg_get_indexdef(indexrelid), 'INDEX ', 'INDEX bare_'), ' ON public.', ' ON public.bare_')"
        " FROM pg_index WHERE indrelid = %s::regclass",
        (table,),
    )
    return [str(row[0]) for row in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "full"))
