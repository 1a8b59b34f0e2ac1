"""The reading of tickets from scanned texts and from photographs. A picture is read in memory and is never stored."""

import re

from courses.attendance.picture_refusals import no_picture, too_large
from lms.core import bounded_process
from lms.core.bounded_process import Bounds, BoundsExceeded, ProgramFailed
from lms.core.errors import N_, DomainError

BYTES_LIMIT = 12 * 1024 * 1024
TICKET = re.compile(r"(?:/tickets/|^)([A-Za-z0-9_-]{22})(?:[/?#]|$)")
_READER = "courses.attendance.picture_codes"
# The largest pictures take 0.7 s (50 megapixels of PNG) and 420 MB (25 megapixels of WebP).
_BOUNDS = Bounds(seconds=20, processor_seconds=8, memory_bytes=640 << 20, output_bytes=1 << 20)


def ticket_in(text: str) -> str | None:
    """Return the ticket in a scanned text: the address of a ticket's page, or the bare ticket. None for any other text."""
    match = TICKET.search(text.strip())
    return match.group(1) if match else None


def ticket_on(picture: bytes) -> str:
    """Return the ticket on a photograph.

    Raises DomainError where no code is found, with advice for a better picture; where several tickets are on the picture;
    where the code is no ticket; and for a file that is no picture or too large.
    """
    texts = codes_on(picture)
    if not texts:
        raise DomainError(
            "no_code",
            N_("No QR code was found. Hold the phone closer and straight, avoid glare, and take the picture again."),
            status=422,
        )
    tickets = {ticket for text in texts if (ticket := ticket_in(text)) is not None}
    if len(tickets) > 1:
        raise DomainError(
            "many_codes", N_("There are several tickets in the picture. Take one of a single ticket."), status=422
        )
    if not tickets:
        raise DomainError(
            "ticket_unknown", N_("This ticket was not issued by this system. Search for the person by name instead.")
        )
    return tickets.pop()


def codes_on(picture: bytes) -> list[str]:
    """Return the texts of all QR codes on a picture, which may be empty.

    The picture is decoded in a process of its own, which is stopped when it takes too long. Raises DomainError for a file
    that is too large or no picture.
    """
    if len(picture) > BYTES_LIMIT:
        raise too_large()
    try:
        return [str(text) for text in bounded_process.run(_READER, [picture], _BOUNDS)]
    except BoundsExceeded as error:
        raise DomainError(
            "picture_too_slow",
            N_("Reading the picture took too long or too much memory. Take a smaller picture."),
            status=422,
        ) from error
    except ProgramFailed as error:
        raise no_picture() from error
