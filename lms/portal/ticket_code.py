"""QR code of a ticket. It holds the address of the ticket's page, so that any camera opens it and the roster recognises it."""

from typing import Final

from qrcode import constants
from qrcode.main import QRCode
from qrcode.util import QRData

from certificates import qr

MASK = 6
BYTES: Final = 4


def address(public_url: str, ticket: str) -> str:
    """The address of the ticket's page."""
    return f"{public_url}/tickets/{ticket}"


def svg(public_url: str, ticket: str) -> str:
    """The code of a ticket as SVG, with its quiet zone."""
    return svg_of(address(public_url, ticket))


def svg_of(text: str) -> str:
    """The code of an address as SVG, with its quiet zone."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(QRData(text.encode(), mode=BYTES))
    code.make(fit=True)
    return qr.svg([[bool(module) for module in row] for row in code.modules])
