"""How often somebody may try a password or ask for a link: counted per account and per address, before anything costly.

Keys are keyed hashes: whoever reads the counters learns no phone, no e-mail and no address.
"""

import math
import time

import structlog
from flask import request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from lms.core import crypto
from lms.core.errors import N_, DomainError
from lms.core.limits import limiter

log = structlog.get_logger(__name__)

# A whole training centre may sign in from one address; one account is one person who mistypes.
PER_ACCOUNT = RateLimitItemPerMinute(10, 15)
PER_ADDRESS = RateLimitItemPerMinute(60, 15)
LINKS_PER_ACCOUNT = RateLimitItemPerMinute(3, 60)
LINKS_PER_ADDRESS = RateLimitItemPerMinute(20, 60)

# Counts in this process while the shared counters cannot be reached.
_meanwhile = MovingWindowRateLimiter(MemoryStorage())


class TooManyTries(DomainError):
    """Wait; `seconds` says how long."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "too_many_tries",
            N_("Too many tries. Wait %(minutes)s min, then try again."),
            minutes=max(1, math.ceil(seconds / 60)),
        )
        self.seconds = seconds


def count_try(identifier: str) -> None:
    """Count a try to sign in. Raises TooManyTries."""
    _count("sign_in", identifier, PER_ACCOUNT, PER_ADDRESS)


def count_link(identifier: str) -> None:
    """Count a request for a link that sets a password. Raises TooManyTries."""
    _count("link", identifier, LINKS_PER_ACCOUNT, LINKS_PER_ADDRESS)


def _count(what: str, identifier: str, per_account: RateLimitItem, per_address: RateLimitItem) -> None:
    for item, kind, value in (
        (per_address, "address", request.remote_addr or ""),
        (per_account, "account", identifier.casefold()),
    ):
        key = crypto.cipher().blind_index(f"throttle.{what}.{kind}", value).hex()
        _hit(item, kind, key)


def _hit(item: RateLimitItem, kind: str, key: str) -> None:
    counters: RateLimiter = limiter.limiter
    try:
        allowed = counters.hit(item, "accounts", kind, key)
    except counters.storage.base_exceptions as error:
        log.warning("limits_unreachable", error=type(error).__name__)
        counters = _meanwhile
        allowed = counters.hit(item, "accounts", kind, key)
    if not allowed:
        window = counters.get_window_stats(item, "accounts", kind, key)
        raise TooManyTries(max(1, math.ceil(window.reset_time - time.time())))
