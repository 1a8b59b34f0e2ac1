"""Documents that Typst sets from facts."""

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from lms.core.typesetting import GlyphMissing, Template

SOURCE = """
#set document(title: "Test")
#set text(font: "Noto Sans CJK SC", lang: "zh", fallback: false)
#json(bytes(sys.inputs.facts)).name
"""
NOW = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def template(tmp_path: Path) -> Template:
    path = tmp_path / "test.typ"
    path.write_text(SOURCE, encoding="utf-8")
    return Template(path)


def test_the_same_facts_and_moment_give_the_same_bytes(template: Template) -> None:
    pdf = template.pdf({"name": "张三丰"}, NOW)
    assert pdf == template.pdf({"name": "张三丰"}, NOW)
    document = pypdfium2.PdfDocument(pdf)
    assert "张三丰" in document[0].get_textpage().get_text_bounded()
    document.close()


def test_a_character_without_a_glyph_is_an_error(template: Template) -> None:
    with pytest.raises(GlyphMissing):
        template.pdf({"name": "\U00013000"}, NOW)
