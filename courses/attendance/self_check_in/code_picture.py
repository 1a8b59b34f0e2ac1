"""The QR code of the rotating link, as bits for a screen that draws it itself and as a path for one without scripts.

Levels and mask are fixed: trying all masks costs eight times as much and gains nothing that a camera notices.
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
    """The modules row by row, true where dark, without the quiet zone. Several screens ask for the same one."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(QRData(address.encode("ascii"), mode=_BYTES))
    code.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in code.modules)


@lru_cache(maxsize=512)
def bits(address: str) -> str:
    """The modules, row after row, eight to a byte, the first in the highest bit; base64. 37 × 37 are 232 characters."""
    modules = [module for row in matrix(address) for module in row]
    modules += [False] * (-len(modules) % 8)
    octets = bytes(
        sum(dark << (7 - place) for place, dark in enumerate(modules[start : start + 8]))
        for start in range(0, len(modules), 8)
    )
    return base64.b64encode(octets).decode()


def side(address: str) -> int:
    """How many modules a row has."""
    return len(matrix(address))


def path(address: str) -> str:
    """SVG path data in units of one module, the quiet zone left and above included; one rectangle for each dark module."""
    return "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(matrix(address))
        for x, dark in enumerate(row)
        if dark
    )
