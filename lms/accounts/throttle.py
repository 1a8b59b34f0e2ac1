"""Limits on tries of passwords and requests for links, per account and per address, counted before any costly work.

The counters' keys are keyed hashes, so that nobody who reads the counters learns a phone, an e-mail address or an IP address.
"""

import math

from limits import RateLimitItem, RateLimitItemPerMinute

from lms.core import crypto
from lms.core.errors import N_, DomainError
from lms.core.limits import seconds_to_wait

# A whole training centre may sign in from one address; one account is one person who mistypes.
PER_ACCOUNT = RateLimitItemPerMinute(10, 15)
PER_ADDRESS = RateLimitItemPerMinute(60, 15)
LINKS_PER_ACCOUNT = RateLimitItemPerMinute(3, 60)
LINKS_PER_ADDRESS = RateLimitItemPerMinute(20, 60)


class TooManyTries(DomainError):
    """Raised when a limit is reached; `seconds` says how long to wait."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "too_many_tries",
            N_("Too many tries. Wait %(minutes)s min, then try again."),
            minutes=max(1, math.ceil(seconds / 60)),
        )
        self.seconds = seconds


def count_try(identifier: str, address: str) -> None:
    """Count a try to sign in. Raises TooManyTries."""
    _count("sign_in", identifier, address, PER_ACCOUNT, PER_ADDRESS)


def count_link(identifier: str, address: str) -> None:
    """Count a request for a link that sets a password. Raises TooManyTries."""
    _count("link", identifier, address, LINKS_PER_ACCOUNT, LINKS_PER_ADDRESS)


def _count(what: str, identifier: str, address: str, per_account: RateLimitItem, per_address: RateLimitItem) -> None:
    for item, kind, value in ((per_address, "address", address), (per_account, "account", identifier.casefold())):
        key = crypto.cipher().blind_index(f"throttle.{what}.{kind}", value).hex()
        seconds = seconds_to_wait(item, "accounts", kind, key)
        if seconds:
            raise TooManyTries(seconds)
