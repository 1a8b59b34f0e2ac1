"""Limits on guessing names and the last digits of phones at self check-in.

Each scan gives a claim with five tries, and whoever stands in the room can scan again. So wrong answers are also counted over
all claims of a session: for a browser, for a name, and for a network address. Whoever is refused goes on without the phone
number, and the instructor finds the person, so that nobody is kept out of a class.
"""

from collections.abc import Sequence

from limits import RateLimitItemPerHour

from courses.attendance.self_check_in.claims import BrowserClaim
from lms.core import guesses, limits
from lms.core.errors import N_, DomainError
from lms.core.limits import Place
from lms.core.names import norm

PER_BROWSER = RateLimitItemPerHour(15)
PER_NAME = RateLimitItemPerHour(10)
# In a class of 300, everybody may mistype once.
PER_ADDRESS = RateLimitItemPerHour(300)


def reserve(browser_claim: BrowserClaim, name: str, address: str) -> Sequence[Place]:
    """Reserve a guess, to be given back when the person was found. Raises DomainError beyond a limit."""
    claim = browser_claim.claim
    session = f"{claim.course_session_id}"
    counters = [
        guesses.place("identity_browser", PER_BROWSER, session, claim.browser_hash.hex()),
        guesses.place("identity_name", PER_NAME, session, norm(name)),
        guesses.place("identity_address", PER_ADDRESS, session, address),
    ]
    if limits.reserve(counters):
        raise DomainError(
            "too_many_tries", N_("No attempts left. Continue without the phone number; the instructor will find you.")
        )
    return counters
