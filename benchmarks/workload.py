"""Requests that a benchmark sends to the web server, for as many rounds as it is measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Round = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True)
class Workload:
    """The rounds of one benchmark: in each, the requests of every kind, as they go over the wire.

    settings: what the web server's environment needs besides the stage's. connections: how many ask at once.
    """

    rounds: Iterator[Round]
    settings: Mapping[str, str] = field(default_factory=dict)
    connections: int = 4
