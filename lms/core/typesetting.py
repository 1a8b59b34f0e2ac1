"""What every printed document shares: the one font that the package `noto-cjk` brings, loaded once a process.

The machine's own fonts are ignored, so that a document looks the same wherever it was made.
"""

from functools import lru_cache
from pathlib import Path

import typst
from noto_cjk import otc_path


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """The font, when first needed: its threads would not survive a fork."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(otc_path("sans")).parent)],
    )
