"""Counts what is guessed, so that a whole school may do the same thing from one address while a guesser is stopped.

A limit on all requests of an address stops 300 people of one school who enrol within ten minutes. So only misses are counted
(an unknown ticket, a wrong code, a name that does not fit), and only misses are refused beyond the limit: whoever has the
right secret gets through while somebody in the same network guesses. Secrets of 96 bits and more cannot be hit at any rate.
"""

from limits import RateLimitItem

from lms.core import crypto, limits
from lms.core.errors import N_, DomainError
from lms.core.limits import Place


class TooManyGuesses(DomainError):
    """Raised for a miss beyond the limit."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            "too_many_guesses",
            N_(
                "Too many wrong attempts came from this network. Wait ten minutes. "
                "A correct link or code works all the time."
            ),
        )


def count_miss(kind: str, most: RateLimitItem, *whose: str) -> None:
    """Count a miss of whoever it is, such as a network address. Raises TooManyGuesses beyond the limit."""
    if limits.reserve([place(kind, most, *whose)]):
        raise TooManyGuesses


def place(kind: str, most: RateLimitItem, *whose: str) -> Place:
    """The counter of a kind of guesses. Its key is a keyed hash, which tells no address and no phone."""
    key = crypto.cipher().blind_index(f"guesses.{kind}", "\0".join(whose)).hex()
    return Place(most, ("guesses", kind, key))
