"""Documents set by Typst with the fonts of `lms.core.fonts`, which are loaded once per process.

The machine's own fonts are ignored, so that a document looks the same wherever it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

import typst

from lms.core import fonts

_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]


class GlyphMissing(Exception):
    """The fonts have no glyph for a character of the text."""


def compiler(template: Path) -> typst.Compiler:
    """A compiler for this template, which may read its own folder alone.

    Compilers are kept, for each set of fonts. They are made at the first use, because their threads do not survive a fork.
    """
    return _compiler(template, fonts.faces())


def inputs(facts: Any) -> dict[str, str]:
    """The inputs that a template reads in `sys.inputs`: its facts, values that JSON can hold, and the families of the fonts."""
    return {"facts": json.dumps(facts, ensure_ascii=False), "families": json.dumps(fonts.families())}


def texts(facts: Any) -> Iterator[str]:
    """Yield each text of these facts, however deep; the keys of a dictionary are no texts."""
    if isinstance(facts, str):
        yield facts
    elif isinstance(facts, dict):
        for value in facts.values():
            yield from texts(value)
    elif isinstance(facts, list | tuple):
        for value in facts:
            yield from texts(value)


class Template:
    """A Typst template. It gives PDF/UA-1, and the same bytes for the same facts and moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The compiler is not thread-safe.
        self._compiling = Lock()

    def pdf(self, facts: Any, now: datetime) -> bytes:
        """The document as PDF. facts: values that JSON can hold. Raises GlyphMissing."""
        try:
            with self._compiling:
                made = compiler(self._path).compile(
                    sys_inputs=inputs(facts),
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


@lru_cache(maxsize=32)
def _compiler(template: Path, faces: tuple[fonts.Face, ...]) -> typst.Compiler:
    return typst.Compiler(str(template), root=str(template.parent), font_paths=_loaded(faces))


@lru_cache(maxsize=4)
def _loaded(faces: tuple[fonts.Face, ...]) -> typst.Fonts:
    """These faces and no others, each file by a link of its own, because Typst takes folders.

    A file beside a wanted one may be of a family that another file is to give, in another weight.
    """
    with TemporaryDirectory(prefix="lms-fonts-") as folder:
        for number, path in enumerate(dict.fromkeys(face.path for face in faces)):
            (Path(folder) / f"{number:04d}{path.suffix.lower()}").symlink_to(path)
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
