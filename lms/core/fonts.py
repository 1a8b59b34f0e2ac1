"""The fonts of printed documents, and the characters that these fonts can print.

The fonts come with packages: Chinese, Latin and most living scripts from PyPI, Tibetan, Mongolian and Yi from npm. The
setting FONTS_DIR adds folders of a server, for rare Chinese characters among others. The machine's other fonts are ignored,
so that a document looks the same wherever it was made.

A character that no font has is asked for here, before a name is stored, and never discovered at printing.
"""

import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Final

import typst
from fontTools.ttLib import TTFont

_NODE_MODULES: Final = Path(__file__).resolve().parent.parent.parent / "node_modules"
# Unicode ends at U+10FFFF, and its letters at U+3347F: planes 4 to 13 are empty, 14 holds no letters, 15 and 16 are private.
_CODE_POINTS: Final = 0x40000
# Hanazono calls its only weight 500; of a family the weight nearest to 400 is taken.
_REGULAR: Final = range(300, 551)


@dataclass(frozen=True, slots=True)
class Face:
    """A face of a font file. family: its name as Typst knows it. index: its place in a collection."""

    family: str
    path: Path
    index: int = 0


# Families by file, in the order in which they are tried. A Latin letter is looked for in the Latin fonts first, because the
# Chinese fonts have few accents.
_PYTHON: Final = (
    ("Noto Serif", "fontpkg_noto_serif", "files/NotoSerif[wdth,wght].ttf"),
    ("Noto Serif SC", "pylopdf_fonts_zh_cn", "NotoSerifSC-Regular.otf"),
    ("Noto Sans SC", "pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
    ("Noto Sans CJK SC", "manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
    *(
        (f"Noto Sans {script}".strip(), "manimgx_fonts", f"NotoSans{script}[wght].ttf")
        for script in (
            "", "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew",
            "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
        )
    ),
)  # fmt: skip
_CHINESE: Final = "Noto Sans SC"
_NODE: Final = (
    ("Noto Serif Tibetan", "noto-serif-tibetan", "400Regular/NotoSerifTibetan_400Regular.ttf"),
    ("Noto Sans Mongolian", "noto-sans-mongolian", "400Regular/NotoSansMongolian_400Regular.ttf"),
    ("Noto Sans Yi", "noto-sans-yi", "400Regular/NotoSansYi_400Regular.ttf"),
)


class _Branch:
    """The folders of the setting FONTS_DIR in this process."""

    folders: tuple[Path, ...] = ()


_loading = RLock()


def families() -> dict[str, tuple[str, ...]]:
    """The families of a text by how it is set, each list in the order in which Typst looks for a character.

    `sans` and `serif` begin with Chinese, `latin_sans` and `latin_serif` with Latin. Only `bold` has a bold weight of Chinese.
    All lists have all families, so that a text can be printed in each or in none.
    """
    everything = [face.family for face in faces()]
    first = {
        "sans": ("Noto Sans SC", "Noto Sans CJK SC", "Noto Sans"),
        "serif": ("Noto Serif SC", "Noto Serif", "Noto Sans CJK SC", "Noto Sans"),
        "bold": ("Noto Sans CJK SC", "Noto Sans"),
        "latin_sans": ("Noto Sans", "Noto Sans SC", "Noto Sans CJK SC"),
        "latin_serif": ("Noto Serif", "Noto Sans", "Noto Serif SC", "Noto Sans CJK SC"),
    }
    return {name: tuple(dict.fromkeys((*preferred, *everything))) for name, preferred in first.items()}


def configure(folders: Sequence[Path]) -> None:
    """Set the folders of further fonts. The application calls this once at its start; nothing is read yet."""
    if tuple(folders) != _Branch.folders:
        _Branch.folders = tuple(folders)
        for cached in (faces, _coverage):
            cached.cache_clear()


@lru_cache(maxsize=1)
def faces() -> tuple[Face, ...]:
    """The faces of all documents, in the order in which a character is looked for."""
    packaged = [Face(family, _package(module) / file) for family, module, file in _PYTHON]
    packaged += [
        Face(family, path)
        for family, package, file in _NODE
        if (path := _NODE_MODULES / "@expo-google-fonts" / package / file).is_file()
    ]
    return (*packaged, *_further({face.family for face in packaged}))


def _package(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the font package {module} is not installed", name=module)
    return Path(spec.origin).parent


def _further(packaged: set[str]) -> Iterator[Face]:
    """Yield the regular upright faces of FONTS_DIR, sorted by family; a family of a package is never replaced."""
    if not _Branch.folders:
        return
    listed = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder) for folder in _Branch.folders]
    ).fonts()
    regular = sorted(
        (font.family, abs(font.weight - 400), font.path, font.index)
        for font in listed
        if font.path and font.style == "normal" and font.weight in _REGULAR and font.stretch == 1
    )
    taken = set(packaged)
    for family, _, path, index in regular:
        if family not in taken:
            taken.add(family)
            yield Face(family, Path(path), index)


class _Coverage:
    """The faces that have each character.

    `alone[code_point]` is 1 for a character that some face has and that is shaped without its neighbours. `classes`
    gives each code point the number of a set of faces, and `sets` these sets as bits, because many characters share a set.
    """

    def __init__(self, files: Iterable[Face]) -> None:
        self.classes = array("H", bytes(2 * _CODE_POINTS))
        self.sets = [0]
        for number, face in enumerate(files):
            self._add(1 << number, _characters(face))
        self.alone = bytes(
            number != 0 and not unicodedata.category(chr(code_point)).startswith("M")
            for code_point, number in enumerate(self.classes)
        )

    def _add(self, bit: int, code_points: Iterable[int]) -> None:
        enlarged: dict[int, int] = {}
        for code_point in code_points:
            if code_point >= _CODE_POINTS:
                continue
            before = self.classes[code_point]
            if before not in enlarged:
                enlarged[before] = len(self.sets)
                self.sets.append(self.sets[before] | bit)
            self.classes[code_point] = enlarged[before]

    def has(self, text: str) -> bool:
        """True if one face has all characters of this text, written with accents in one piece or apart."""
        return any(self._in_one_face(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))

    def _in_one_face(self, text: str) -> bool:
        common = -1
        for character in text:
            common &= self.sets[self.classes[ord(character)]] if ord(character) < _CODE_POINTS else 0
        return common != 0


def _characters(face: Face) -> Iterable[int]:
    with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
        return tuple(font.getBestCmap() or ())


@lru_cache(maxsize=1)
def _coverage() -> _Coverage:
    """Read from the fonts at the first question, in less than a second; half a megabyte in memory."""
    return _Coverage(faces())


@lru_cache(maxsize=1)
def _common() -> frozenset[int]:
    """The code points that the first Chinese face has, without combining marks: those of nearly all names.

    This face alone is read in a tenth of the time that all faces take, which a command for a few names would notice.
    """
    chinese = next(face for face in faces() if face.family == _CHINESE)
    return frozenset(
        code_point for code_point in _characters(chinese) if not unicodedata.category(chr(code_point)).startswith("M")
    )


def unprintable(text: str) -> tuple[str, ...]:
    """The characters of a text that no font can print, each once, in their order; empty when all can be printed.

    A letter with its combining marks is one of them when no font has both: "张́" is given back although fonts have 张.
    """
    if all(map(_common().__contains__, map(ord, text))):
        return ()
    with _loading:
        coverage = _coverage()
    try:
        if all(map(coverage.alone.__getitem__, map(ord, text))):
            return ()
    except IndexError:
        pass
    return tuple(dict.fromkeys(cluster for cluster in _clusters(text) if not coverage.has(cluster)))


def _clusters(text: str) -> Iterator[str]:
    """Yield each letter with the marks that follow it, without what fonts need not have.

    Spaces, joiners and variation selectors show nothing of their own.
    """
    cluster = ""
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("M"):
            cluster += "" if _selects_a_variant(character) else character
            continue
        if cluster:
            yield cluster
        cluster = "" if category in {"Cf", "Zs", "Cc"} else character
    if cluster:
        yield cluster


def _selects_a_variant(character: str) -> bool:
    return character in "\u180b\u180c\u180d\u180f" or "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100"


def named(characters: Iterable[str]) -> str:
    """Unprintable characters as a message names them, with their code points: "U+31350 𱍐, U+5F20 U+0301 张́"."""
    return ", ".join(f"{code_points(cluster)} {cluster}" for cluster in characters)


def code_points(text: str) -> str:
    """The code points of a text in Unicode's notation: "U+5F20 U+0301"."""
    return " ".join(f"U+{ord(character):04X}" for character in text)


def printable(text: str) -> str:
    """The text with the code points of what no font can print in its place: "王〔U+31350〕"."""
    for cluster in unprintable(text):
        text = text.replace(named([cluster]), code_points(cluster))
        text = text.replace(cluster, f"〔{code_points(cluster)}〕")
    return text
