"""`flask demo load --scale` against a bare COPY of the same rows into the same tables, in pairs.

Bare: the rows as files of COPY's own binary form, read by the server into tables without constraints, and then every index
of the tables made. What the load does beyond that: it thinks of the rows, seals personal fields, checks every constraint,
writes the ledger with all that is kept beside it, and can be taken back whole. The first pair is the load that the other
measurements of the years stand on; each further one has a process and a server of its own, which go with it.
"""

import json
import sys
from collections.abc import Sequence
from functools import partial
from statistics import median
from subprocess import PIPE, run

import psycopg

from benchmarks.measurement import RUNS, Measurement, once
from benchmarks.stage import SCALE, Ground, Stage, years
from lms.config import ROOT
from lms.demo.decade.making import FILLED, LEDGER

TABLES = (*FILLED, *LEDGER, "person_time_month")
CEILING = 3.0


def measure(ground: Ground) -> Sequence[Measurement]:
    """Medians of the pairs. Nothing where the years were there before."""
    if not isinstance(ground, Stage) or ground.loaded is None:
        return ()
    pairs = [_pair(ground)]
    while len(pairs) < RUNS:
        done = run([sys.executable, "-m", "benchmarks.full_load", SCALE], cwd=ROOT, check=True, stdout=PIPE)
        pairs.append(tuple(json.loads(done.stdout.splitlines()[-1])))
    loaded, copied, indexed = (median(seconds) for seconds in zip(*pairs, strict=True))
    # What does not grow with the rows weighs more in fewer: the bound is that of the branch's size.
    ceiling = CEILING if SCALE == "full" else None
    return [
        Measurement("demo load, whole", loaded, "s"),
        Measurement("bare COPY of the same rows", copied, "s"),
        Measurement("their indexes", indexed, "s"),
        Measurement("load / bare", median(one[0] / (one[1] + one[2]) for one in pairs), "×", ceiling=ceiling),
    ]


def _pair(ground: Stage) -> tuple[float, ...]:
    """Seconds of the load, of the COPY of what it made, and of the indexes."""
    assert ground.loaded is not None
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
    return ground.loaded, copied, indexed


def _indexes(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> list[str]:
    """The statements that make a table's indexes for its bare copy."""
    found = connection.execute(
        "SELECT replace(replace(pg_get_indexdef(indexrelid), 'INDEX ', 'INDEX bare_'), ' ON public.', ' ON public.bare_')"
        " FROM pg_index WHERE indrelid = %s::regclass",
        (table,),
    )
    return [str(row[0]) for row in found]


def main(scale: str) -> int:
    """Be the process of one pair; the exit code."""
    with years(scale) as ground:
        assert isinstance(ground, Stage)
        print(json.dumps(_pair(ground)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
