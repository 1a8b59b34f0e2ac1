"""The icon of the installed page as PNG, drawn from the numbers of `icon.svg`: phones' home screens take no SVG.

A maskable icon may be cut to any shape by the phone, so its colour goes to the edges and its tick stays within the middle.
"""

import re
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

FINER = 4  # drawn so many times as large, and made smaller: Pillow's edges are steps
MASKABLE_SCALE = 0.8
_RECT = re.compile(r'<rect width="(\d+)" height="\d+" rx="(\d+)" fill="(#\w+)"/>')
_PATH = re.compile(
    r'<path d="M([\d.]+) ([\d.]+)l([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" fill="none" stroke="(#\w+)" stroke-width="(\d+)"'
)


@lru_cache(maxsize=8)
def png(svg: Path, size: int, *, maskable: bool = False) -> bytes:
    """Draw the icon in so many pixels. `svg`: a square with round corners, and on it a line through three points."""
    rect, path = _RECT.search(text := svg.read_text(encoding="utf-8")), _PATH.search(text)
    if rect is None or path is None:
        raise ValueError(f"{svg} is drawn in another way")
    width, radius, background = int(rect[1]), int(rect[2]), rect[3]
    (x, y, right, down, end_x, end_y), colour, stroke = map(float, path.groups()[:6]), path[7], int(path[8])
    unit = size * FINER / width
    large = (size * FINER, size * FINER)
    image = Image.new("RGB", large, background) if maskable else Image.new("RGBA", large)
    draw = ImageDraw.Draw(image)
    if not maskable:
        draw.rounded_rectangle((0, 0, size * FINER - 1, size * FINER - 1), radius * unit, fill=background)
    scale = MASKABLE_SCALE if maskable else 1.0
    points = [
        tuple((width / 2 + (place - width / 2) * scale) * unit for place in point)
        for point in ((x, y), (x + right, y + down), (end_x, end_y))
    ]
    thick = stroke * scale * unit
    draw.line(points, fill=colour, width=round(thick))
    for centre_x, centre_y in points:  # round ends and corners
        draw.ellipse(
            (centre_x - thick / 2, centre_y - thick / 2, centre_x + thick / 2, centre_y + thick / 2), fill=colour
        )
    file = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()
