"""Processor time per request of the web workers and of PostgreSQL's backends, read from the operating system.

On a shared machine the number of requests a second depends on what else runs. The processor time that a request costs the
server depends on that far less, so versions of the code are compared by processor time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.load import send
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage, WebServer


@dataclass(frozen=True)
class Sample:
    """The outcome of one period of load. web, database: milliseconds of processor time per request."""

    per_second: float
    web: float
    database: float

    @property
    def server(self) -> float:
        """Milliseconds of processor time per request, in the web workers and in PostgreSQL together."""
        return self.web + self.database


def sample(
    stage: Stage, server: WebServer, requests: Sequence[bytes], *, seconds: float = 3.0, connections: int = 4
) -> Sample:
    """Send requests for some seconds and give the rate and the processor time per request."""
    web, database = _web_workers(server), backend_seconds(stage)
    answers = send(server.port, requests, seconds=seconds, connections=connections)
    return Sample(
        answers.per_second,
        1000 * _spent(web, _web_workers(server)) / answers.count,
        1000 * _spent(database, backend_seconds(stage)) / answers.count,
    )


def middle(samples: Sequence[Sample]) -> Sample:
    """The median of each figure."""
    return Sample(
        median(each.per_second for each in samples),
        median(each.web for each in samples),
        median(each.database for each in samples),
    )


def measurements(name: str, of: Sample) -> list[Measurement]:
    """The lines of the table for one kind of request; they are for information and have no floor."""
    return [
        Measurement(name, of.per_second, "requests/s"),
        Measurement(f"{name}, processor time of the web workers", of.web, "ms a request"),
        Measurement(f"{name}, processor time of PostgreSQL", of.database, "ms a request"),
    ]


def _web_workers(server: WebServer) -> Mapping[int, float]:
    return _seconds([worker.pid for worker in psutil.Process(server.pid).children()])


def backend_seconds(stage: Stage) -> Mapping[int, float]:
    """The processor time that each backend of PostgreSQL has used since it began, by process."""
    with stage.server.connect() as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    return _seconds([int(str(pid)) for (pid,) in rows])


def _seconds(pids: Sequence[int]) -> Mapping[int, float]:
    """The processor time that each process has used since it began."""
    times = {pid: psutil.Process(pid).cpu_times() for pid in pids}
    return {pid: spent.user + spent.system for pid, spent in times.items()}


def _spent(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """The processor time between two looks. A process that began in between counts from its beginning."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
