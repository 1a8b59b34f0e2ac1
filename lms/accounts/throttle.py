"""Limits on guessing passwords that shut nobody out who knows theirs.

Only failures count. A try is reserved before the password is checked, so that simultaneous guesses do not slip through, and
given back when the password was right. Failures in unknown browsers are counted for an account at one network address, for an
account at all addresses, and for an address over all accounts. A known browser (`known_browsers`) of the account has an
allowance of its own, so that others' failures never shut it out; when it is used up, the browser counts as an unknown one.
Whoever is shut out signs in through a password link, which makes the browser known.

The counters' keys are keyed hashes, so that nobody who reads the counters learns a phone, an e-mail address or an IP address.
docs/performance.md has a table of what an attacker can try.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limits import RateLimitItemPerDay, RateLimitItemPerMinute

from lms.core import crypto, limits
from lms.core.errors import N_, DomainError
from lms.core.limits import Place, network

# One person who mistypes.
PER_BROWSER = RateLimitItemPerMinute(10, 15)
PER_BROWSER_AND_DAY = RateLimitItemPerDay(50)
PER_ACCOUNT_AND_ADDRESS = RateLimitItemPerMinute(10, 15)
PER_ACCOUNT_AND_ADDRESS_AND_DAY = RateLimitItemPerDay(50)
# Above what a handful of addresses can use up, so that an unknown browser elsewhere still gets in.
PER_ACCOUNT = RateLimitItemPerMinute(100, 15)
PER_ACCOUNT_AND_DAY = RateLimitItemPerDay(300)
# A whole training centre may sign in from one address for the first time, and a part of it mistypes.
PER_ADDRESS = RateLimitItemPerMinute(60, 15)
PER_ADDRESS_AND_DAY = RateLimitItemPerDay(500)
# A link is one message to its owner; whoever asks again has the last one. A school asks from one address.
LINKS_PER_ACCOUNT = RateLimitItemPerMinute(3, 60)
LINKS_PER_ADDRESS = RateLimitItemPerMinute(300, 60)


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


@dataclass(frozen=True)
class Try:
    """A try that was reserved. It counts as a failure unless it is given back."""

    places: Sequence[Place]

    def give_back(self) -> None:
        """Let the try not count, because the password was right."""
        limits.give_back(self.places)


def reserve_try(account: str, address: str, *, browser: int | None = None) -> Try:
    """Reserve a try of a password. Raises TooManyTries.

    account: the canonical phone or e-mail address that was typed. It is counted whether or not somebody has it, and phone
    and e-mail address apart, because a common count would tell that both are of one account. browser: the row of the
    known browser of this account that sends the try; None for an unknown browser.
    """
    if browser is not None:
        own = _places("browser", f"{browser}", PER_BROWSER, PER_BROWSER_AND_DAY)
        if not limits.reserve(own):
            return Try(own)
    net = network(address)
    places = (
        *_places("address", net, PER_ADDRESS, PER_ADDRESS_AND_DAY),
        *_places("both", f"{account}\0{net}", PER_ACCOUNT_AND_ADDRESS, PER_ACCOUNT_AND_ADDRESS_AND_DAY),
        *_places("account", account, PER_ACCOUNT, PER_ACCOUNT_AND_DAY),
    )
    seconds = limits.reserve(places)
    if seconds:
        raise TooManyTries(seconds)
    return Try(places)


def count_link(identifier: str, address: str) -> None:
    """Count a request for a link that sets a password. Raises TooManyTries.

    Counted for each address apart, so that nobody uses up the requests of another.
    """
    net = network(address)
    places = (
        *_places("links", net, LINKS_PER_ADDRESS),
        *_places("link", f"{identifier.casefold()}\0{net}", LINKS_PER_ACCOUNT),
    )
    seconds = limits.reserve(places)
    if seconds:
        raise TooManyTries(seconds)


def _places(kind: str, value: str, *items: RateLimitItemPerMinute | RateLimitItemPerDay) -> tuple[Place, ...]:
    key = crypto.cipher().blind_index(f"throttle.{kind}", value).hex()
    return tuple(Place(item, ("accounts", kind, key)) for item in items)
