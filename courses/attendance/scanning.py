"""Photographs of tickets: find the QR code and the ticket in it. The picture is looked at in memory and never kept."""

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
    """The ticket that a scanned text carries: our ticket page's address, or the bare ticket. None for anything else."""
    found = TICKET.search(text.strip())
    return found.group(1) if found else None


def ticket_on(picture: bytes) -> str:
    """The ticket on a photograph. Raises DomainError saying how to take a better one, or that the code is not a ticket."""
    texts = codes_on(picture)
    if not texts:
        raise DomainError(
            "no_code",
            N_("No QR code was found. Hold the phone closer and straight, avoid glare, and take the picture again."),
            status=422,
        )
    found = {ticket for text in texts if (ticket := ticket_in(text)) is not None}
    if len(found) > 1:
        raise DomainError(
            "many_codes", N_("There are several tickets in the picture. Take one of a single ticket."), status=422
        )
    if not found:
        raise DomainError("ticket_unknown", N_("This is not a ticket of ours. Search for the person by name instead."))
    return found.pop()


def codes_on(picture: bytes) -> list[str]:
    """The texts of all QR codes on a picture. Size and kind are checked before it is decoded; its metadata is not read."""
    image = _opened(picture)
    # A photograph may be too sharp for its own good: at half the size noise goes and the modules stay.
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
            "not_a_picture", N_("This is not a picture we can read. Send a JPEG or PNG photo."), status=422
        ) from error


def _too_large() -> DomainError:
    return DomainError("picture_too_large", N_("The picture is too large. Send a smaller one."), status=413)
