"""Rate limits, counted in Redis if the settings name one, else in memory.

While Redis is down they are counted in memory.
"""

import math

import structlog
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from lms.config import Settings
from lms.core import clock

log = structlog.get_logger(__name__)

limiter = Limiter(get_remote_address, strategy="moving-window", headers_enabled=False)

# Counts in this process while the shared counters cannot be reached.
_fallback = MovingWindowRateLimiter(MemoryStorage())


def init_app(app: Flask, settings: Settings) -> None:
    """Configure Flask-Limiter. A view sets its limits with `limiter.limit`."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.limits_storage_url,
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
