"""Decoding rates: how often a scanner reads the code of a certificate that was printed, turned, compressed and stained.

The PDFs are rendered as a printer or a screen would, damaged at random (the same way each time), and read with zxing-cpp,
which is another library than the one that made the code. OpenCV and zbar read them as well where the packages
`opencv-python-headless` and `pyzbar` are installed. In the last rows a phone's camera sees the code at an angle, out of focus,
in a dim room or on another phone's screen.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO

import numpy as np
import pypdfium2
import zxingcpp
from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage
from benchmarks.ticket_pictures import Chance, Grey, blurred, dimmed, displayed, held, noisy
from certificates import documents
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.rendering import Layout, render

SAMPLES = 40
SEED = 20260305
DPI = (300, 150, 100)
JPEG_QUALITY = 50
STAINS = (0.06, 0.12)  # of the code's area
CAMERA_DPI = 300  # of the print that a phone looks at
CAMERA_SCALE = (
    0.93  # pixels of the camera for each of the print: the code of A4 has 460 with its quiet zone, of 1280 × 720
)

FINDER = 8 / 37  # of the code's side, at most: the marks in three corners by which every reader finds a code
DENSER = 2

Reader = Callable[[Image.Image], str | None]
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


def stained(share: float, picture: Image.Image, chance: random.Random) -> Image.Image:
    """A round spot, from black to white, of a share of the code's area, anywhere but on the three marks in the corners.

    No reader finds a code without those, whatever its error correction.
    """
    spoilt = picture.reduce(DENSER)
    found = read(spoilt)
    if found is None:
        return spoilt
    left, top = found.position.top_left.x, found.position.top_left.y
    side = found.position.bottom_right.x - left
    radius = side * math.sqrt(share / math.pi)
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
    *((f"stain of {share:.0%}".replace("%", " %"), partial(stained, share)) for share in STAINS),
)


def tilted(code: Image.Image, chance: Chance) -> Grey:
    """On paper before a camera, a quarter narrower at the far end, turned a little."""
    picture = held(code, chance, angle=chance.uniform(-30, 30), side=CAMERA_SCALE * code.width, tilt=0.25)
    return noisy(blurred(picture, 1.0), chance, 4)


def unfocused(code: Image.Image, chance: Chance) -> Grey:
    """Out of focus by a third to two fifths of a module."""
    picture = held(code, chance, angle=chance.uniform(-20, 20), side=CAMERA_SCALE * code.width, tilt=0.05)
    return noisy(blurred(picture, chance.uniform(2.4, 3.0)), chance, 5)


def dim(code: Image.Image, chance: Chance) -> Grey:
    """In a dim room."""
    return dimmed(held(code, chance, angle=chance.uniform(-30, 30), side=CAMERA_SCALE * code.width, tilt=0.1), chance)


def on_screen(code: Image.Image, chance: Chance) -> Grey:
    """On the screen of another phone, with moiré and a glare."""
    return displayed(held(code, chance, angle=chance.uniform(-8, 8), side=CAMERA_SCALE * code.width, tilt=0.1), chance)


CAMERA: tuple[tuple[str, Callable[[Image.Image, Chance], Grey]], ...] = (
    ("perspective of 25 %", tilted),
    ("out of focus", unfocused),
    ("dim room", dim),
    ("on a screen, moiré", on_screen),
)


def read(picture: Image.Image) -> zxingcpp.Barcode | None:
    """The one QR code of a picture."""
    return zxingcpp.read_barcode(picture, formats=zxingcpp.BarcodeFormat.QRCode)


def _text(picture: Image.Image) -> str | None:
    found = read(picture)
    return found.text if found is not None else None


def readers() -> dict[str, Reader]:
    """The programs that read here, by name."""
    known: dict[str, Reader] = {"zxing-cpp": _text}
    if find_spec("cv2"):
        detector = import_module("cv2").QRCodeDetectorAruco()
        known["OpenCV"] = lambda picture: detector.detectAndDecode(np.asarray(picture))[0] or None
    if find_spec("pyzbar"):
        decode = import_module("pyzbar.pyzbar").decode
        known["zbar"] = lambda picture: next((code.data.decode() for code in decode(picture)), None)
    return known


def failures(
    samples: Sequence[Sample], dpi: int, spoil: Spoil, *, seed: int = SEED, reader: Reader = _text
) -> list[str]:
    """The addresses that were not read, or were read wrong."""
    chance = random.Random(seed)
    return [
        sample.address for sample in samples if reader(spoil(drawn(sample.pdf, DENSER * dpi), chance)) != sample.address
    ]


def before_camera(pdf: bytes, way: Callable[[Image.Image, Chance], Grey], chance: Chance) -> Image.Image:
    """The code of a print, cut out with its quiet zone, as a phone's camera sees it."""
    page = drawn(pdf, CAMERA_DPI)
    found = read(page)
    if found is None:
        raise ValueError("the print is not read undamaged")
    corner, end = found.position.top_left, found.position.bottom_right
    margin = round((end.x - corner.x) / 12)
    code = page.crop((corner.x - margin, corner.y - margin, end.x + margin, end.y + margin))
    return Image.fromarray(way(code, chance).clip(0, 255).astype(np.uint8))


def rows(samples: Sequence[Sample], reader: Reader = _text) -> Iterator[tuple[str, str, int]]:
    """Resolution or camera, damage, and how many were read."""
    for dpi in DPI:
        for name, spoil in SPOILS:
            yield f"{dpi} dpi", name, len(samples) - len(failures(samples, dpi, spoil, reader=reader))
    for name, way in CAMERA:
        chance = np.random.default_rng(SEED)
        yield (
            "a camera",
            name,
            sum(reader(before_camera(sample.pdf, way, chance)) == sample.address for sample in samples),
        )


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
            Measurement(
                f"read from {layout.name} by {name}, {source}, {damage}",
                100 * found / len(samples),
                "%",
                floor=100 if reader is _text and source != "a camera" else None,
            )
            for name, reader in readers().items()
            for source, damage, found in rows(samples, reader)
        ]
    return measured
