"""The reading of tickets from scanned texts and from photographs. A picture is read in memory and is never stored."""

import re
from io import BytesIO

import zxingcpp
from PIL import Image, UnidentifiedImageError

from lms.core.errors import N_, DomainError

FORMATS = ("JPEG", "PNG", "WEBP")
BYTES_LIMIT = 12 * 1024 * 1024
PIXELS_LIMIT = 50_000_000
DRAFT_SIDE = 2000  # a JPEG is decoded at a fraction of its size: a ticket fills enough of the picture
TICKET = re.compile(r"(?:/tickets/|^)([A-Za-z0-9_-]{22})(?:[/?#]|$)")


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

    The file's size, its format and its number of pixels are checked before it is decoded; its metadata is not read.
    Raises DomainError for a file that is too large or no picture.
    """
    image = _opened(picture)
    # Noise of a sharp photograph may hide the code. At half the size the noise is gone and the modules remain.
    for side in (DRAFT_SIDE, DRAFT_SIDE // 2):
        image.thumbnail((side, side))
        texts = [
            code.text
            for code in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
            if code.valid
        ]
        if texts:
            return texts
    return []


def _opened(picture: bytes) -> Image.Image:
    if len(picture) > BYTES_LIMIT:
        raise _too_large()
    try:
        image = Image.open(BytesIO(picture), formats=FORMATS)
        if image.width * image.height > PIXELS_LIMIT:
            raise _too_large()
        image.draft("L", (DRAFT_SIDE, DRAFT_SIDE))
        return image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise DomainError(
            "not_a_picture", N_("This picture cannot be read. Send a JPEG or PNG photo."), status=422
        ) from error


def _too_large() -> DomainError:
    return DomainError("picture_too_large", N_("The picture is too large. Send a smaller one."), status=413)
