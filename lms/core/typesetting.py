"""Documents set by Typst with the fonts of `lms.core.fonts`, which are loaded once per process.

The machine's own fonts are ignored, so that a document looks the same wherever it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

import typst

from lms.core import actual_text, fonts

_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]


# What all templates import; it lies beside each of them when they are compiled.
_COMMON: Final = Path(__file__).parent / "document"


def compiler(template: Path, pictures: tuple[tuple[str, Path], ...] = ()) -> typst.Compiler:
    """A compiler for this template, which may read its own folder and these pictures alone, a picture by its name here.

    Compilers are kept, for each set of fonts. They are made at the first use, because their threads do not survive a fork.
    """
    return _compiler(template, pictures, fonts.faces())


def inputs(facts: Any, names: Sequence[str] = ()) -> dict[str, str]:
    """The inputs that a template reads in `sys.inputs`: its facts, values that JSON can hold, and the families of the fonts.

    `marked` are those of the names to which `lms.core.actual_text` gives their text afterwards.
    """
    return {
        "facts": json.dumps(facts, ensure_ascii=False),
        "families": json.dumps(fonts.families()),
        "marked": json.dumps(marked(names), ensure_ascii=False),
    }


def marked(names: Iterable[str]) -> list[str]:
    """The names whose text a PDF of Typst cannot give back."""
    return [name for name in names if actual_text.is_needed(name)]


class Template:
    """A Typst template. It gives PDF/UA-1, and the same bytes for the same facts and moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The compiler is not thread-safe.
        self._compiling = Lock()

    def pdf(self, facts: Any, now: datetime, names: Sequence[str] = ()) -> bytes:
        """The document as PDF. facts: values that JSON can hold; names: people's names among them, in their order on paper.

        A character that no font has is printed as its code point.
        """
        with self._compiling:
            made = compiler(self._path).compile(
                sys_inputs=inputs(_printable(facts), names),
                timestamp=int(now.timestamp()),
                format="pdf",
                pdf_standards=_STANDARDS,
            )
        if not isinstance(made, bytes):
            raise TypeError(f"typst made no single document of {self._path.name}")
        return actual_text.give(made, marked(names))


def _printable(facts: Any) -> Any:
    if isinstance(facts, str):
        return fonts.printable(facts)
    if isinstance(facts, dict):
        return {name: _printable(value) for name, value in facts.items()}
    return [_printable(value) for value in facts] if isinstance(facts, list | tuple) else facts


@lru_cache(maxsize=32)
def _compiler(template: Path, pictures: tuple[tuple[str, Path], ...], faces: tuple[fonts.Face, ...]) -> typst.Compiler:
    folder = _folder(template.parent, pictures)
    return typst.Compiler(str(folder / template.name), root=str(folder), font_paths=_loaded(faces))


@lru_cache(maxsize=32)
def _folder(templates: Path, pictures: tuple[tuple[str, Path], ...]) -> Path:
    """A folder of copies for Typst to read: these templates, what all templates import, and the pictures."""
    temporary_folder = TemporaryDirectory(prefix="lms-document-")
    _temporary_folders.append(temporary_folder)
    folder = Path(temporary_folder.name)
    for file in (*_COMMON.glob("*.typ"), *templates.glob("*.typ")):
        copyfile(file, folder / file.name)
    for name, picture in pictures:
        copyfile(picture, folder / name)
    return folder


# Temporary folders live as long as the process; they are removed at its end.
_temporary_folders: list[TemporaryDirectory[str]] = []


@lru_cache(maxsize=4)
def _loaded(faces: tuple[fonts.Face, ...]) -> typst.Fonts:
    """These faces and no others, each file by a link of its own, because Typst takes folders.

    A file beside a wanted one may be of a family that another file is to give, in another weight.
    """
    with TemporaryDirectory(prefix="lms-fonts-") as folder:
        for number, path in enumerate(dict.fromkeys(face.path for face in faces)):
            (Path(folder) / f"{number:04d}{path.suffix.lower()}").symlink_to(path)
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
