"""The QR codes on a picture. This runs in a process of its own (`lms.core.bounded_process`), for `scanning`."""

from collections.abc import Iterator
from io import BytesIO
from typing import IO

import zxingcpp
from PIL import Image, UnidentifiedImageError

from courses.attendance.picture_refusals import no_picture, too_large

# Format → the most pixels that are decoded. libwebp needs four times the memory of the others.
PIXELS_LIMITS = {"JPEG": 50_000_000, "PNG": 50_000_000, "WEBP": 25_000_000}
DRAFT_SIDE = 2000  # a JPEG is decoded at a fraction of its size: a ticket fills enough of the picture


def program(stream: IO[bytes]) -> Iterator[str]:
    """Yield the texts of all QR codes on a picture.

    Its format and its number of pixels are checked before it is decoded; its metadata is not read. Raises DomainError for
    a file that is too large or no picture.
    """
    image = _opened(stream.read())
    # Noise of a sharp photograph may hide the code. At half the size the noise is gone and the modules remain.
    for side in (DRAFT_SIDE, DRAFT_SIDE // 2):
        image.thumbnail((side, side))
        texts = [
            code.text
            for code in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
            if code.valid
        ]
        if texts:
            yield from texts
            return


def _opened(picture: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(picture), formats=list(PIXELS_LIMITS))
        if image.width * image.height > PIXELS_LIMITS[image.format or ""]:
            raise too_large()
        image.draft("L", (DRAFT_SIDE, DRAFT_SIDE))
        return image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise no_picture() from error
