"""Rate limits, counted in Redis if the settings name one, else in memory.

While Redis is down they are counted in memory.
"""

import ipaddress
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from lms.config import Settings
from lms.core import clock
from lms.core.process_counters import ProcessStorage

log = structlog.get_logger(__name__)

N = TypeVar("N", int, float)

limiter = Limiter(get_remote_address, strategy="moving-window", headers_enabled=False)

# Counts in this process while the shared counters cannot be reached.
_fallback = MovingWindowRateLimiter(ProcessStorage())


def init_app(app: Flask, settings: Settings) -> None:
    """Configure Flask-Limiter. A view sets its limits with `limiter.limit`."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.limits_storage_url.replace("memory:", "process:"),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=settings.redis_url is not None,
        RATELIMIT_KEY_PREFIX="lms",
    )
    limiter.init_app(app)


def seconds_to_wait(item: RateLimitItem, *key: str) -> int:
    """Count one act against the limit of a rule. Gives 0 if the act is allowed, else the seconds until it is again."""
    counters: RateLimiter = limiter.limiter
    try:
        allowed = counters.hit(item, *key)
    except counters.storage.base_exceptions as error:
        log.warning("limits_unreachable", error=type(error).__name__)
        counters = _fallback
        allowed = counters.hit(item, *key)
    if allowed:
        return 0
    reset = counters.get_window_stats(item, *key).reset_time
    return max(1, math.ceil(reset - clock.now().timestamp()))


def seconds_left() -> int | None:
    """Return the seconds until this request's address may ask again, None where no limit of `limiter` was reached."""
    current = limiter.current_limit
    if current is None or not current.breached:
        return None
    return max(1, math.ceil(current.reset_at - clock.now().timestamp()))


@dataclass(frozen=True)
class Place:
    """A limit and the key under which its acts are counted."""

    item: RateLimitItem
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """The key of the counter. Its window is fixed: it begins with the first act that is counted in it."""
        return self.item.key_for("fixed", *self.key)


def reserve(places: Sequence[Place]) -> int:
    """Take one act from each of several limits, all or none. Gives 0, else the seconds until each limit allows it again.

    Counting goes before the act, so that of many simultaneous acts no more pass than the limit allows; whoever learns
    afterwards that the act does not count gives it back (`give_back`).
    """
    taken: list[Place] = []
    wait = 0
    for place in places:
        if _add(place, 1) > place.item.amount:
            wait = max(wait, _seconds_left(place))
            _add(place, -1)
        else:
            taken.append(place)
    if wait:
        give_back(taken)
    return wait


def give_back(places: Sequence[Place]) -> None:
    """Return what `reserve` took."""
    for place in places:
        _add(place, -1)


def count(place: Place) -> int:
    """Count an act that is never refused, and give how many there were in this window."""
    return _add(place, 1)


def counted(place: Place) -> int:
    """How many acts were counted in this window."""
    return _on_storage(lambda storage: storage.get(place.name))


def _add(place: Place, amount: int) -> int:
    return _on_storage(lambda storage: storage.incr(place.name, place.item.get_expiry(), amount=amount))


def _seconds_left(place: Place) -> int:
    expires_at = _on_storage(lambda storage: storage.get_expiry(place.name))
    return max(1, min(place.item.get_expiry(), math.ceil(expires_at - clock.now().timestamp())))


def _on_storage(act: Callable[[Storage], N]) -> N:
    storage = limiter.limiter.storage
    try:
        return act(storage)
    except storage.base_exceptions as error:
        log.warning("limits_unreachable", error=type(error).__name__)
        return act(_fallback.storage)


def network(address: str) -> str:
    """The network that counts as one address: of IPv6 the first 64 bits, since a household has all the rest."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
