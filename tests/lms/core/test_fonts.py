"""The fonts of printed documents: what they can print, and how a folder of a server's fonts adds to it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typst
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lms.core import fonts, typesetting
from tests.ten_names import TEN_NAMES

RARE = "\U00031350"  # of CJK Extension H, which no packaged font has


@pytest.fixture
def further() -> Iterator[None]:
    """Sets the folders of FONTS_DIR back, so that no other test sees the font of this one."""
    yield
    fonts.configure(())


def write_font(path: Path, family: str, characters: str, weight: int = 400) -> None:
    """Write a font that has a square for each of these characters."""
    pen = TTGlyphPen(None)
    for corner in ((0, 0), (0, 700), (700, 700), (700, 0)):
        (pen.moveTo if corner == (0, 0) else pen.lineTo)(corner)
    pen.closePath()
    names = [".notdef", *(f"u{ord(character):X}" for character in characters)]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(character): f"u{ord(character):X}" for character in characters})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {"familyName": family, "styleName": "Regular", "fullName": family, "psName": family.replace(" ", "")}
    )
    builder.setupOS2(usWeightClass=weight)
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)


@pytest.mark.parametrize("name", [*TEN_NAMES, "O’Brien", "김민수", "สมชาย", "अमित", "Մարիամ", "葛\U000e0100"])
def test_the_names_of_everybody_can_be_printed(name: str) -> None:
    assert fonts.unprintable(name) == ()


def test_an_ordinary_name_is_answered_by_one_font_alone() -> None:
    fonts.configure(())
    fonts._coverage.cache_clear()
    assert fonts.unprintable("王小明 Anna 12") == ()
    assert fonts._coverage.cache_info().currsize == 0
    assert fonts.unprintable(f"王{RARE}") == (RARE,)


def test_what_no_font_has_is_named_with_its_code_points() -> None:
    missing = fonts.unprintable(f"张{RARE}三😀{RARE}")
    assert missing == (RARE, "😀")
    assert fonts.named(missing) == f"U+31350 {RARE}, U+1F600 😀"
    assert fonts.unprintable("\U0010fffd") == ("\U0010fffd",)
    assert fonts.unprintable("") == fonts.unprintable("\u3000 \u200d") == ()


def test_a_letter_and_its_mark_must_be_of_one_font() -> None:
    """Fonts have 张 and fonts have the Arabic vowel; no font has both and can set the one upon the other."""
    together = "张\u064e"
    assert fonts.unprintable(together) == (together,)


def test_a_folder_of_fonts_adds_its_families_and_replaces_none(tmp_path: Path, further: None) -> None:
    assert fonts.unprintable(RARE)
    write_font(tmp_path / "deep" / "rare.ttf", "Rare Han", RARE)
    write_font(tmp_path / "bold.ttf", "Rare Bold", "\U00031351", weight=700)
    write_font(tmp_path / "same.ttf", "Noto Serif", "\U00031352")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    fonts.configure((tmp_path,))
    assert [face.family for face in fonts.faces()][-1] == "Rare Han"
    assert fonts.unprintable(f"张{RARE}") == ()
    assert fonts.unprintable("\U00031351\U00031352") == ("\U00031351", "\U00031352")
    assert all(families[-1] == "Rare Han" for families in fonts.families().values())
    fonts.configure(())
    assert fonts.unprintable(RARE) == (RARE,)


def sample(tmp_path: Path) -> typst.Compiler:
    file = tmp_path / "sample.typ"
    file.write_text(
        "#set text(font: json(bytes(sys.inputs.families)).at(json(bytes(sys.inputs.facts)).at(0)), fallback: false)\n"
        '#set document(title: "x")\n'
        "#json(bytes(sys.inputs.facts)).at(1)",
        encoding="utf-8",
    )
    return typesetting.compiler(file)


_LETTERS = st.sampled_from("aéẠĐ张㐀𠮷𰻝ئەབྷསᠪᠶꆈمΩж김ส😀") | st.characters(
    codec="utf-8", max_codepoint=0x33FFF, categories=["L"]
)
_MARKS = st.sampled_from(
    ["", "\u0301", "\u0331", "\u064e\u0651", "\u0f9f\u0f72", "\u200d", "\ufe00", "\U000e0100", "\u20dd"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_LETTERS, _MARKS), min_size=1, max_size=6), st.sampled_from(["sans", "latin_serif", "bold"]))
@example([("\U00010000", "\u200d"), ("😀", "\u0301")], "bold")
def test_typst_agrees_on_what_can_be_printed(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str]], families: str
) -> None:
    """The question to the fonts answers as the compiler does, in each list of families.

    A mark of another font than its letter's is refused here, while Typst would set it beside its place; and beside such a mark
    Typst overlooks other letters that no font has.
    """
    text = "".join(letter + mark for letter, mark in parts)
    compiler = sample(tmp_path_factory.getbasetemp())
    try:
        compiler.compile(
            sys_inputs=typesetting.inputs([families, text]), format="pdf", pdf_standards=["ua-1"], timestamp=0
        )
        printed = True
    except typst.TypstError as error:
        printed = "could not be displayed" not in error.message
    missing = fonts.unprintable(text)
    assert printed or missing, text
    assert not printed or not missing or any(len(cluster) > 1 for cluster in missing), text


def test_asking_loads_no_font_until_the_first_question() -> None:
    """A process that prints nothing and a parent that forks its workers hold no font."""
    program = (
        "import lms.core.typesetting\nfrom lms.core import fonts\n"
        "assert fonts.faces.cache_info().currsize == fonts._coverage.cache_info().currsize == 0\n"
        "fonts.unprintable('张三')\n"
        "import os\npid = os.fork()\n"
        "if pid == 0: os._exit(1 if fonts.unprintable('张😀') != ('😀',) else 0)\n"
        "assert os.waitpid(pid, 0)[1] == 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
