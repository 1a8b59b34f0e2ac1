"""Issuing as the worker does it: what is owed → codes, rows, audit trail, ledger, committed chunk by chunk."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter, process_time

from benchmarks.measurement import RUNS, Measurement
from benchmarks.owed import owe
from benchmarks.stage import Stage
from certificates import issuing
from certificates.branch import Branch
from lms.core.transactions import transaction

SAMPLE = 3 * issuing.CHUNK


def measure(stage: Stage) -> Sequence[Measurement]:
    """Certificates a second by one worker process: with every core of this machine, and held to one of them."""
    owe(stage.app, (2 * RUNS + 1) * SAMPLE)
    branch = Branch.of(stage.app.config["SETTINGS"])
    _issue(stage, branch)
    together = [_issue(stage, branch) for _ in range(RUNS)]
    with one_core():
        alone = [_issue(stage, branch) for _ in range(RUNS)]
    return [
        Measurement(
            f"issuing, one worker, {os.cpu_count()} cores", median(rate for rate, _ in together), "a second", floor=300
        ),
        Measurement("issuing, one worker held to one core", median(rate for rate, _ in alone), "a second"),
        Measurement("the worker's own processor time", median(busy for _, busy in together), "ms each"),
    ]


def _issue(stage: Stage, branch: Branch) -> tuple[float, float]:
    """Issue the sample: how many a second, and milliseconds of processor time for each."""
    began, busy = perf_counter(), process_time()
    issued = 0
    while issued < SAMPLE:
        with transaction(stage.app.extensions["sessions"]) as db:
            issued += issuing.issue_owed(db, branch)
    return issued / (perf_counter() - began), (process_time() - busy) * 1000 / issued


@contextmanager
def one_core() -> Iterator[None]:
    """Hold this process to one core, the database to none, where the system can (Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
