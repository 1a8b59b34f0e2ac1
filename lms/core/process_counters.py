"""Counters of limits in the memory of this process, for a system without Redis and while Redis cannot be reached.

The library's own memory storage counts fixed windows in dictionaries that a timer thread empties without a lock, so that a
count can be read wrong and the thread can fail. Here one lock guards each count, and time comes from `lms.core.clock`.
"""

from threading import Lock
from typing import Any

from limits.storage import MemoryStorage

from lms.core import clock

SWEEP_AT = 10_000  # counters, beyond which the expired ones are removed; then twice as many as were left


class ProcessStorage(MemoryStorage):
    """The memory storage of the library, with counters of fixed windows that are exact among threads."""

    STORAGE_SCHEME = ["process"]  # noqa: RUF012  # the library's way to register

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._lock = Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = SWEEP_AT

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter, whose window begins with the first act in it, and return the count."""
        now = clock.now().timestamp()
        with self._lock:
            if len(self._counts) > self._sweep_at:
                self._counts = {name: value for name, value in self._counts.items() if value[1] > now}
                self._sweep_at = max(SWEEP_AT, 2 * len(self._counts))
            count, expires_at = self._counts.get(key, (0, 0.0))
            if expires_at <= now or count <= 0:
                count, expires_at = 0, now + expiry
            count = max(count + amount, 0)
            if count:
                self._counts[key] = (count, expires_at)
            else:
                self._counts.pop(key, None)
        return count

    def get(self, key: str) -> int:
        """The count of a window that is not over."""
        count, expires_at = self._counts.get(key, (0, 0.0))
        return count if expires_at > clock.now().timestamp() else 0

    def get_expiry(self, key: str) -> float:
        """When the window of a counter ends, as a POSIX timestamp."""
        return self._counts.get(key, (0, clock.now().timestamp()))[1]

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._counts.pop(key, None)
        super().clear(key)

    def reset(self) -> int | None:
        """Forget all counters."""
        with self._lock:
            self._counts = {}
        return super().reset()
