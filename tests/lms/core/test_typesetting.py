"""Documents that Typst sets from facts."""

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
import typst

from lms.core.typesetting import Template, inputs
from lms.core.typesetting import compiler as compiler_of

SOURCE = """
#set document(title: "Test")
#import "names.typ": *
#set text(font: families.sans, lang: "zh", fallback: false)
#fitted-name(20pt, 7pt, 3, json(bytes(sys.inputs.facts)).name)
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'
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


def test_a_character_that_no_font_has_is_printed_as_its_code_point(template: Template) -> None:
    with pypdfium2.PdfDocument(
        template.pdf({"name": "王\U00013000", "others": [1, None, "\U00013000"]}, NOW)
    ) as document:
        assert "王〔U+13000〕" in document[0].get_textpage().get_text_bounded()


def test_a_template_reads_its_folder_and_the_given_pictures_alone(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "secret.svg").write_text(PICTURE, encoding="utf-8")
    source = tmp_path / "templates" / "picture.typ"
    source.write_text('#image("seal.svg")', encoding="utf-8")
    compiler = compiler_of(source, (("seal.svg", tmp_path / "secret.svg"),))
    assert compiler.compile(sys_inputs=inputs({}), format="pdf")
    source.write_text('#image("../secret.svg")', encoding="utf-8")
    with pytest.raises(typst.TypstError):
        compiler_of(source, (("other.svg", tmp_path / "secret.svg"),)).compile(sys_inputs=inputs({}), format="pdf")
