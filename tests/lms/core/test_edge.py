"""The edge: numbers, texts and JSON of requests within what can be stored."""

import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound as RouteNotFound

from lms.core import edge
from lms.core.db import LARGEST_ID
from lms.core.edge import BoundedJson
from lms.core.errors import DomainError


@pytest.fixture
def reader() -> BoundedJson:
    return BoundedJson(Flask("test"))


@pytest.mark.parametrize("text", ["0", "-1", str(LARGEST_ID + 1), "1e3", "", "one"])
def test_what_no_id_can_be_is_none(text: str) -> None:
    assert MultiDict({"id": text}).get("id", type=edge.row_id) is None


@given(st.integers(1, LARGEST_ID))
def test_an_id_is_read(number: int) -> None:
    assert edge.row_id(str(number)) == number


@given(st.integers())
def test_a_page_lies_within_its_bounds(number: int) -> None:
    assert 1 <= edge.page_number(str(number)) <= edge.LARGEST_PAGE


@pytest.mark.parametrize("text", ["-1", str(edge.LARGEST_COUNT + 1)])
def test_a_count_is_no_odd_number(text: str) -> None:
    assert MultiDict({"days": text}).get("days", 0, type=edge.count) == 0


def test_a_number_beyond_the_column_is_an_address_that_does_not_exist(app: Flask) -> None:
    routes = app.url_map.bind("localhost")
    assert routes.match(f"/offerings/{LARGEST_ID}")[1] == {"offering_id": LARGEST_ID}
    with pytest.raises(RouteNotFound):
        routes.match(f"/offerings/{LARGEST_ID + 1}")


@given(st.text())
def test_a_text_is_storable_if_it_has_no_nul_and_no_lone_surrogate(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        assert not edge.storable(text)
    else:
        assert edge.storable(text) == ("\0" not in text)


def test_fields_that_cannot_be_stored_are_refused_in_words() -> None:
    for field in ({"name": "a\0b"}, {"na\0me": "x"}, {"name": "\ud800"}):
        with pytest.raises(DomainError) as refused:
            edge.refuse_unstorable(MultiDict(field))
        assert refused.value.status == 400


@given(
    st.recursive(st.none() | st.integers() | st.text(st.characters(exclude_characters="\0")), st.lists, max_leaves=20)
)
def test_plain_json_is_read_as_it_is(value: object) -> None:
    assert BoundedJson(Flask("test")).loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (edge.DEEPEST_JSON + 1) + b"]" * (edge.DEEPEST_JSON + 1),
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'["\\ud800"]',
        b'[{"a":["\\udfff"]}]',
        b"NaN",
        b"Infinity",
        b"\xff",
    ],
)
def test_json_that_is_too_deep_or_cannot_be_stored_is_no_json(reader: BoundedJson, document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each reader has words of its own
        reader.loads(document)


def test_an_emoji_in_escapes_is_no_lone_surrogate(reader: BoundedJson) -> None:
    assert reader.loads(b'["\\ud83d\\ude00"]') == ["😀"]


def test_a_file_name_with_nul_is_refused(app: Flask) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\0b"\r\n\r\nx\r\n--x--\r\n'
    answer = app.test_client().post("/sign-in/", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
