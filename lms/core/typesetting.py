"""Documents set by Typst, with the font of the package `noto-cjk`, which is loaded once per process.

The machine's own fonts are ignored, so that a document looks the same wherever it was made.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst
from noto_cjk import otc_path

_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]


class GlyphMissing(Exception):
    """The font has no glyph for a character of the text."""


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """The font, loaded at the first use, because its threads do not survive a fork."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(otc_path("sans")).parent)],
    )


class Template:
    """A Typst template. It gives PDF/UA-1, and the same bytes for the same facts and moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The compiler is not thread-safe.
        self._compiling = Lock()

    def pdf(self, facts: Any, now: datetime) -> bytes:
        """The document as PDF. facts: values that JSON can hold. Raises GlyphMissing."""
        facts_json = json.dumps(facts, ensure_ascii=False)
        try:
            with self._compiling:
                made = self._compiler.compile(
                    sys_inputs={"facts": facts_json},
                    timestamp=int(now.timestamp()),
                    format="pdf",
                    pdf_standards=_STANDARDS,
                )
        except typst.TypstError as error:
            if "could not be displayed" in error.message:
                raise GlyphMissing from error
            raise
        if not isinstance(made, bytes):
            raise TypeError(f"typst made no single document of {self._path.name}")
        return made

    @cached_property
    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(str(self._path), root=str(self._path.parent), font_paths=fonts())
