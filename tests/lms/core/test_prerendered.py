"""Pages that are rendered once."""

from collections.abc import Mapping

import pytest

from lms.core.prerendered import PrerenderedPage


def test_a_page_is_rendered_once_and_filled_with_escaped_values() -> None:
    rendered: list[str] = []

    def render(values: Mapping[str, str]) -> str:
        rendered.append("once")
        return f'<p title="{values["name"]}">{values["number"]} {values["name"]}</p>'

    page = PrerenderedPage(["number", "name"], render)
    assert page.fill({"name": "张三", "number": "12"}).decode() == '<p title="张三">12 张三</p>'
    assert (
        page.fill({"name": '"><b>', "number": "0"}).decode() == '<p title="&#34;&gt;&lt;b&gt;">0 &#34;&gt;&lt;b&gt;</p>'
    )
    assert rendered == ["once"]


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        PrerenderedPage(["name"], lambda values: values["name"]).fill({})


def test_a_page_without_values_stays_as_it_is() -> None:
    assert PrerenderedPage([], lambda _values: "<p>").fill({}) == b"<p>"
