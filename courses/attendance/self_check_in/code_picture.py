"""QR codes as a picture: as bits that a script draws, and as an SVG path for pages without scripts and for printing.

The error correction and the mask are fixed. To try all eight masks takes eight times as long, and no camera reads the
result better.
"""

import base64
from functools import lru_cache
from typing import Final

from qrcode import constants
from qrcode.main import QRCode
from qrcode.util import QRData

MASK = 6
QUIET_ZONE = 4
_BYTES: Final = 4

Matrix = tuple[tuple[bool, ...], ...]


@lru_cache(maxsize=512)
def matrix(address: str) -> Matrix:
    """The modules of the QR code row by row, true where dark, without the quiet zone. Cached for several screens."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(QRData(address.encode("ascii"), mode=_BYTES))
    code.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in code.modules)


@lru_cache(maxsize=512)
def bits(address: str) -> str:
    """The modules row by row, eight to a byte, the first in the highest bit, as base64. 37 × 37 give 232 characters."""
    modules = [module for row in matrix(address) for module in row]
    modules += [False] * (-len(modules) % 8)
    octets = bytes(
        sum(dark << (7 - place) for place, dark in enumerate(modules[start : start + 8]))
        for start in range(0, len(modules), 8)
    )
    return base64.b64encode(octets).decode()


def side(address: str) -> int:
    """The number of modules of a row."""
    return len(matrix(address))


def path(address: str) -> str:
    """The SVG path data in units of a module: a square for each dark module, moved by the quiet zone to right and below."""
    return "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(matrix(address))
        for x, dark in enumerate(row)
        if dark
    )
