"""Pictures of figures, drawn on the server: SVG images without scripts, for an <img> and for Typst.

The functions take plain values and know nothing of the database. Each one has a wide and a narrow variant, the narrow
one for phones, and says in words that there is nothing to draw. The table beneath a picture holds its figures, for
readers who do not see the image. Decision 148 says why the drawing is our own.
"""

from courses.reports.charts.bars import Bullet, bullet, stacked_bars
from courses.reports.charts.drawing import CONTENT_SECURITY_POLICY, Meaning, Series, for_paper
from courses.reports.charts.lines import Panel, small_multiples, sparkline, trend
from courses.reports.charts.rates import rates
from courses.reports.charts.tile_map import SHADES, Tile, shade, tile_map

__all__ = [
    "CONTENT_SECURITY_POLICY", "SHADES", "Bullet", "Meaning", "Panel", "Series", "Tile", "bullet", "for_paper", "rates",
    "shade", "small_multiples", "sparkline", "stacked_bars", "tile_map", "trend",
]  # fmt: skip
