"""Pictures of tickets as a phone's camera gives them, and a video of them for Chromium's fake camera.

A ticket is shown in one of four ways: on paper that is turned and tilted, out of focus, in a dim room, or on the screen of
another phone, whose pixels and the camera's make moiré. The same seed gives the same pictures.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from qrcode import constants
from qrcode.main import QRCode
from qrcode.util import QRData

from lms.portal.ticket_code import BYTES, MASK

Grey = NDArray[np.float32]  # 0 to 255, rows of pixels
Chance = np.random.Generator

WIDTH: Final = 1280
HEIGHT: Final = 720
QUIET: Final = 4
MODULE: Final = 12  # px of a ticket's drawing


def drawn(text: str) -> Image.Image:
    """The QR code of a text in black on white, with its quiet zone and a sheet of paper or a page around it."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, border=QUIET, mask_pattern=MASK)
    code.add_data(QRData(text.encode(), mode=BYTES))
    code.make(fit=True)
    modules = np.array(code.get_matrix(), dtype=bool)
    return Image.fromarray(np.where(modules, 20, 235).astype(np.uint8)).resize(
        (MODULE * len(modules),) * 2, Image.Resampling.NEAREST
    )


def held(ticket: Image.Image, chance: Chance, *, angle: float, side: float, tilt: float) -> Grey:
    """A ticket before the camera: turned by an angle (degrees), so many pixels wide, tilted away by a share of its width."""
    middle = np.array([WIDTH / 2, HEIGHT / 2]) + chance.uniform(-25, 25, 2)
    turn = math.radians(angle)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float) * side / 2
    corners[:2, 0] *= 1 - tilt
    turned = corners @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) + middle
    size = ticket.width
    source = [(0, 0), (size, 0), (size, size), (0, size)]
    picture = ticket.transform(
        (WIDTH, HEIGHT),
        Image.Transform.PERSPECTIVE,
        _perspective(turned, source),
        Image.Resampling.BICUBIC,
        fillcolor=128,
    )
    return np.asarray(picture, dtype=np.float32)


def _perspective(corners: NDArray[np.float64], source: Sequence[tuple[float, float]]) -> list[float]:
    """The eight numbers by which Pillow finds the place in the drawing for each place of the picture."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners.tolist(), source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    targets = np.array([value for place in source for value in place])
    solved: list[float] = np.linalg.solve(np.array(rows), targets).tolist()
    return solved


def blurred(picture: Grey, radius: float) -> Grey:
    """A picture out of focus."""
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, dtype=np.float32)


def noisy(picture: Grey, chance: Chance, strength: float) -> Grey:
    """A picture with the noise of a sensor."""
    return picture + chance.normal(0, strength, picture.shape).astype(np.float32)


def turned(text: str, chance: Chance) -> Grey:
    """On paper, turned by any angle and tilted."""
    picture = held(
        drawn(text), chance, angle=chance.uniform(0, 360), side=chance.uniform(240, 400), tilt=chance.uniform(0, 0.3)
    )
    return noisy(blurred(picture, 1.0), chance, 4)


def unfocused(text: str, chance: Chance) -> Grey:
    """Out of focus: an edge is spread over about three fifths of a module, or over a whole one."""
    picture = held(drawn(text), chance, angle=chance.uniform(-20, 20), side=chance.uniform(300, 420), tilt=0.05)
    return noisy(blurred(picture, chance.uniform(3.0, 4.5)), chance, 5)


def dim(text: str, chance: Chance) -> Grey:
    """In a dim room: white is at a fifth of the scale, darker on one side, and the sensor is noisy."""
    picture = held(drawn(text), chance, angle=chance.uniform(-30, 30), side=chance.uniform(280, 420), tilt=0.1)
    return dimmed(picture, chance)


def dimmed(picture: Grey, chance: Chance) -> Grey:
    """A picture that was taken in a dim room."""
    light = np.linspace(1.0, 0.5, WIDTH, dtype=np.float32)
    return noisy(blurred(picture, 1.2) * 0.22 * light, chance, 6)


def on_screen(text: str, chance: Chance) -> Grey:
    """On the screen of another phone: rows of pixels with dark gaps, which beat with the pixels of the camera, and a glare."""
    picture = held(drawn(text), chance, angle=chance.uniform(-8, 8), side=chance.uniform(280, 420), tilt=0.1)
    return displayed(picture, chance)


def displayed(picture: Grey, chance: Chance) -> Grey:
    """A picture that was taken of another phone's screen."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    turn = math.radians(chance.uniform(2, 10))
    pitch = chance.uniform(1.8, 2.6)
    along = (across * math.cos(turn) + down * math.sin(turn)) / pitch
    over = (down * math.cos(turn) - across * math.sin(turn)) / pitch
    grid = 1 - 0.3 * (np.cos(2 * np.pi * along) > 0.2) - 0.3 * (np.cos(2 * np.pi * over) > 0.2)
    glare_x, glare_y = chance.uniform(440, 840), chance.uniform(200, 520)
    glare = 90 * np.exp(-((across - glare_x) ** 2 + (down - glare_y) ** 2) / (2 * 80.0**2))
    return noisy(blurred((picture + 25) * grid.astype(np.float32) + glare, 0.8), chance, 4)


WAYS: Final[tuple[tuple[str, Callable[[str, Chance], Grey]], ...]] = (
    ("turned", turned),
    ("blurred", unfocused),
    ("dim", dim),
    ("on a screen", on_screen),
)


def picture(text: str, way: int, chance: Chance) -> NDArray[np.uint8]:
    """The picture of a ticket, in the way of this number."""
    return WAYS[way % len(WAYS)][1](text, chance).clip(0, 255).astype(np.uint8)


def write_video(file: Path, texts: Iterable[str], *, frames: int, rate: int = 5, seed: int = 1) -> None:
    """Write a Y4M video: the code of each text for so many frames, one way after another, then an empty frame.

    The hand that holds a ticket moves, so each frame is a picture of its own.
    """
    chance = np.random.default_rng(seed)
    colour = b"\x80" * (WIDTH * HEIGHT // 2)
    empty = np.full((HEIGHT, WIDTH), 128, dtype=np.uint8)
    with file.open("wb") as video:
        video.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{rate}:1 Ip A1:1 C420\n".encode())
        for number, text in enumerate(texts):
            pictures = [picture(text, number, chance) for _ in range(frames)]
            for frame in (*pictures, empty):
                video.write(b"FRAME\n" + frame.tobytes() + colour)
