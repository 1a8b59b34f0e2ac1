"""The test that finds what is not in both languages, tried on strings that are wrong on purpose."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment

from lms.core import translations


def test_every_string_is_in_both_languages() -> None:
    assert [f"{problem.place}: {problem.message}" for problem in translations.problems()] == []


@pytest.mark.parametrize(
    ("chinese", "complaint"),
    [
        ("", "not in Chinese"),
        ("第 %(seite)s 页", "places differ"),
        ("第 %(page)s 页", None),
    ],
)
def test_a_wrong_translation_is_found(chinese: str, complaint: str | None) -> None:
    message = Message("Page %(page)s", locations=[("a.py", 1)])
    catalogue = Catalog()
    catalogue.add("Page %(page)s", chinese)
    found = list(translations._compare(message, catalogue.get("Page %(page)s")))
    assert (complaint in found[0].message) if complaint else found == []


@pytest.mark.parametrize(
    ("msgid", "wrong"),
    [
        ("%(number)s rows cannot be imported", True),
        ("%(taken)s of %(capacity)s places taken", True),
        ("Enrol %(good)s people", True),
        ("With %(number)s new instructors", True),
        ("%(name)s is enrolled.", False),
        ("%(number)s in this system", False),
        ("No more than %(most)s rows", False),
        ("Rows: %(number)s", False),
        (("%(num)s row", "%(num)s rows"), False),
    ],
)
def test_a_number_before_a_plural_needs_a_singular(msgid: str | tuple[str, str], wrong: bool) -> None:
    message = Message(msgid, locations=[("a.py", 1)])
    catalogue = Catalog()
    ids = (msgid,) if isinstance(msgid, str) else msgid
    chinese = ids[-1].encode("ascii", "ignore").decode()
    catalogue.add(msgid, chinese if isinstance(msgid, str) else (chinese,))
    found = [problem.message for problem in translations._compare(message, catalogue.get(msgid))]
    assert [text.startswith("reads wrong for 1") for text in found] == [True] * wrong


@pytest.mark.parametrize(
    ("template", "bare"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ("<p>{{ _('Hello there') }}</p>", []),
        ("<p>{% trans %}Hello there{% endtrans %}</p>", []),
        ("<img alt='{{ name }}'><input placeholder=\"Your name\">", ["Your name"]),
        ("<p>{# a note #}{{ count }} · 12</p>", []),
        ("<b>签到</b>", ["签到"]),
    ],
)
def test_bare_text_in_a_template_is_found(tmp_path: Path, template: str, bare: list[str]) -> None:
    path = tmp_path / "page.html"
    path.write_text(template, encoding="utf-8")
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    assert [text for _line, text in translations._literals(environment, path)] == bare
