"""The walk of odd values: which requests to send to a route, read from the route map, the forms and the views themselves."""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.routing import Rule
from wtforms import Form

# Texts that a parameter of any kind may be sent as.
TEXTS = (
    "-1", "0", "32767", "32768", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "1" + "0" * 40, "1e400", "NaN", "１２", "٣",
    "0001-01-01", "9999-12-31", "0001-01", "9999-12", "0001", "9999",
    "0001-01-01T00:00", "9999-12-31T23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "00000000-0000-0000-0000-000000000000", "\0", "a\0b", "x\r\nSet-Cookie: y=z", "/x\r\ny", "\u202e", "'\"<>&%", "😀" * 50,
    "x" * 5000,
)  # fmt: skip
# Bytes that are no UTF-8: a lone surrogate, and a byte that begins nothing.
BYTES = ("%ED%A0%80", "%FF")
PATHS = ("-1", "0", "32768", "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 40, "%00", "a%00b", "%FF", "x" * 5000)  # fmt: skip
# JSON documents that no view can mean, as bytes.
JSON = (
    b"[" * 100_000, b'{"a":' * 100_000, b"null", b"7", b'"x"', b"[]", b"{}", b"[null]", b'{"events":[null]}', b"1" + b"0" * 400,
    b'"\\ud800"', b'{"events":[{"id":"\\u0000"}]}', b'{"items":["\\ud800","\\u0000"]}', b'{"name":"\\u0000"}', b'{"name":"\\udfff"}',
    b'{"results":[{"id":"\\ud800"}]}', b"\xff", b"NaN", b'{"events":' + b"9" * 5000 + b"}",
)  # fmt: skip
_NAMES = re.compile(r"""(?:args|form|values)(?:\.get|\.getlist)?[(\[]\s*"(\w+)\"""")


@dataclass(frozen=True)
class OddRequest:
    """A request to send: its method and address, and its body as form fields or as JSON."""

    method: str
    address: str
    fields: Mapping[str, str] | None = None
    multipart: bool = False
    body: bytes | None = None


def names_of(app: Flask, rule: Rule) -> list[str]:
    """The parameters that the view of a route could read: those of the forms in its module, and those that it names itself."""
    module = sys.modules[inspect.unwrap(app.view_functions[rule.endpoint]).__module__]
    names = set(_NAMES.findall(inspect.getsource(module))) | {"page", "next", "lang"}
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Form):
            names |= {name for name in dir(value) if hasattr(getattr(value, name, None), "field_class")}
    return sorted(names - {"csrf_token"})


def requests_of(app: Flask, rule: Rule, arguments: Mapping[str, Any]) -> Iterator[OddRequest]:
    """The odd requests for a route. arguments: values for its path under which it finds a row."""
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    path = _address(app, rule, arguments)
    names = names_of(app, rule)
    for method in methods:
        for name in rule.arguments:
            for value in PATHS:
                yield OddRequest(method, _with_path_value(app, rule, arguments, name, value))
        for value in BYTES:
            yield OddRequest(method, f"{path}?" + "&".join(f"{name}={value}" for name in names))
        for value in TEXTS:
            if method == "GET":
                yield OddRequest(method, f"{path}?" + "&".join(f"{name}={quote(value)}" for name in names))
                for name in names:
                    yield OddRequest(method, f"{path}?{name}={quote(value)}")
            else:
                yield OddRequest(method, path, dict.fromkeys(names, value))
                for name in names:
                    yield OddRequest(method, path, {name: value})
        if method != "GET":
            for value in ("\0", "9" * 30, "x" * 1_000_000):
                yield OddRequest(method, path, dict.fromkeys(names, value), multipart=True)
            for body in JSON:
                yield OddRequest(method, path, body=body)


def _address(app: Flask, rule: Rule, arguments: Mapping[str, Any]) -> str:
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, {name: arguments[name] for name in rule.arguments})
    return str(built).removeprefix("http://localhost")


def _with_path_value(app: Flask, rule: Rule, arguments: Mapping[str, Any], name: str, value: str) -> str:
    marks = {argument: f"\x01{argument}\x02" for argument in rule.arguments}
    pattern = "".join(
        marks[text] if is_dynamic else text
        for is_dynamic, text in rule._trace
        if text != "|"  # the map has no other list of parts
    )
    for argument, mark in marks.items():
        pattern = pattern.replace(mark, value if argument == name else quote(str(arguments[argument]), safe=""))
    return pattern
