"""Decoding rates: how often a scanner reads the code of a certificate that was printed, turned, compressed and stained.

The PDFs are rendered as a printer or a screen would, damaged at random (the same way each time), and read with zxing-cpp,
which is another library than the one that made the code.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import pypdfium2
import zxingcpp
from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage
from certificates import documents
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.rendering import Layout, render

SAMPLES = 40
SEED = 20260305
DPI = (300, 150, 100)
JPEG_QUALITY = 50
STAIN = 0.06  # of the code's area

FINDER = 8 / 37  # of the code's side, at most: the marks in three corners by which every reader finds a code
DENSER = 2

# From the picture at twice the resolution to what a scanner of the resolution gives.
Spoil = Callable[[Image.Image, random.Random], Image.Image]


@dataclass(frozen=True)
class Sample:
    """A rendered document and the address that its code must give."""

    pdf: bytes
    address: str


def drawn(pdf: bytes, dpi: int) -> Image.Image:
    """The first page of a PDF in shades of grey."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[0].render(scale=dpi / 72, grayscale=True).to_pil().convert("L")


def plain(picture: Image.Image, _chance: random.Random) -> Image.Image:
    """The undamaged picture."""
    return picture.reduce(DENSER)


def turned(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The picture turned by a random angle."""
    angle = chance.uniform(0, 360)
    return picture.rotate(angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC).reduce(DENSER)


def compressed(picture: Image.Image, _chance: random.Random) -> Image.Image:
    """The picture as a JPEG of quality 50."""
    file = BytesIO()
    picture.reduce(DENSER).save(file, "JPEG", quality=JPEG_QUALITY)
    return Image.open(BytesIO(file.getvalue()))


def stained(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A round spot, from black to white, of 6 % of the code's area, anywhere but on the three marks in the corners.

    No reader finds a code without those, whatever its error correction.
    """
    spoilt = picture.reduce(DENSER)
    found = read(spoilt)
    if found is None:
        return spoilt
    left, top = found.position.top_left.x, found.position.top_left.y
    side = found.position.bottom_right.x - left
    radius = side * math.sqrt(STAIN / math.pi)
    while True:
        x, y = (chance.uniform(radius, side - radius) for _ in range(2))
        if not any(_reaches(x, y, radius, corner, side) for corner in ((0, 0), (1, 0), (0, 1))):
            break
    box = (left + x - radius, top + y - radius, left + x + radius, top + y + radius)
    ImageDraw.Draw(spoilt).ellipse(box, fill=chance.choice((0, 60, 128, 200, 255)))
    return spoilt


def _reaches(x: float, y: float, radius: float, corner: tuple[int, int], side: float) -> bool:
    """Tell whether a spot touches the finder mark of this corner."""
    mark = side * FINDER
    gaps = (max(0.0, at - mark if end == 0 else side - mark - at) for at, end in zip((x, y), corner, strict=True))
    return math.hypot(*gaps) < radius


SPOILS: tuple[tuple[str, Spoil], ...] = (
    ("as rendered", plain),
    ("turned", turned),
    ("JPEG 50", compressed),
    ("stain of 6 %", stained),
)


def read(picture: Image.Image) -> zxingcpp.Barcode | None:
    """The one QR code of a picture."""
    return zxingcpp.read_barcode(picture, formats=zxingcpp.BarcodeFormat.QRCode)


def failures(samples: Sequence[Sample], dpi: int, spoil: Spoil, *, seed: int = SEED) -> list[str]:
    """The addresses that were not read, or were read wrong."""
    chance = random.Random(seed)
    missed = []
    for sample in samples:
        found = read(spoil(drawn(sample.pdf, DENSER * dpi), chance))
        if found is None or found.text != sample.address:
            missed.append(sample.address)
    return missed


def rows(samples: Sequence[Sample]) -> Iterator[tuple[int, str, int]]:
    """Resolution, damage, and how many were read."""
    for dpi in DPI:
        for name, spoil in SPOILS:
            yield dpi, name, len(samples) - len(failures(samples, dpi, spoil))


def measure(stage: Stage) -> Sequence[Measurement]:
    """The share that is read, for both documents, each resolution and each damage."""
    stage.load_demo()
    branch = Branch.of(stage.app.config["SETTINGS"])
    with Session(stage.app.extensions["engine"]) as db:
        documents = [
            documents.document_of(one, branch)
            for one in db.scalars(select(Certificate).order_by(Certificate.id).limit(SAMPLES))
        ]
    measured = []
    for layout in Layout:
        samples = [Sample(render(one, layout), one.address_prefix + one.digits) for one in documents]
        measured += [
            Measurement(f"read from {layout.name} at {dpi} dpi, {name}", 100 * found / len(samples), "%", floor=100)
            for dpi, name, found in rows(samples)
        ]
    return measured
