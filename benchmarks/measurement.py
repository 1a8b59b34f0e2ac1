"""A measured figure and the floor or ceiling that it is held against."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

RUNS = 5


@dataclass(frozen=True)
class Measurement:
    """`value` is a median over runs; `floor` (at least) or `ceiling` (at most) is what it must reach; neither: for information."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ceiling: float | None = None

    @property
    def reached(self) -> bool:
        """Tell whether the figure keeps its floor or ceiling."""
        above = self.floor is None or self.value >= self.floor
        return above and (self.ceiling is None or self.value <= self.ceiling)

    def line(self) -> str:
        """The figure as a line of the printed table."""
        bound = (
            f"≥ {self.floor:g}" if self.floor is not None else f"≤ {self.ceiling:g}" if self.ceiling is not None else ""
        )
        verdict = "" if not bound else "ok" if self.reached else "MISSED"
        return f"{self.name:<58} {self.value:>10.3f} {self.unit:<14} {bound:<10} {verdict}".rstrip()


def once(act: Callable[[], object]) -> float:
    """The duration of an act, in seconds."""
    began = perf_counter()
    act()
    return perf_counter() - began


def seconds(act: Callable[[], object], runs: int = RUNS) -> float:
    """The median duration of an act, after one run that does not count."""
    act()
    return median(once(act) for _ in range(runs))
