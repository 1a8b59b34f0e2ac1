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

# Texts that a parameter of any kind may be sent as. The first ones are sent for each parameter by itself, too.
SINGLY = ("32768", "2147483648", "9223372036854775808", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z")
TEXTS = (
    *SINGLY,
    "-1", "0", "32767", "2147483647", "9223372036854775807", "-9223372036854775809", "1" + "0" * 40, "1e400", "NaN", "１２", "٣",
    "0001-01", "9999-12", "0001", "9999", "0001-01-01T00:00", "9999-12-31T23:59", "0001-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000", "\0", "a\0b", "x\r\nSet-Cookie: y=z", "/x\r\ny", "\u202e", "'\"<>&%", "😀" * 50,
    "x" * 5000,
)  # fmt: skip
# Sent as well in the whole walk.
MORE_TEXTS = (
    "", "-0", "-0.0", "-32768", "-32769", "-2147483648", "-2147483649", "-9223372036854775808", "0000-00-00", "2026-02-30",
    "9999-12-31T23:59:59.999999+14:00", "0001-01-01T00:00:00-14:00", "24:00", "25:61", "true", "null", "[]", "{}", "%", "//evil",
    "\\\\evil", "javascript:x", "+8613800138000" * 50, "\ufffe", "\u0300" * 2000,
)  # fmt: skip
# Bytes that are no UTF-8: a lone surrogate, and a byte that begins nothing.
BYTES = ("%ED%A0%80", "%FF")
PATHS = (
    "-1", "0", "32768", "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 40, "%00", "a%00b", "%FF",
    "x" * 5000,
)  # fmt: skip
MORE_PATHS = (
    "%", "%z", "%C0%AE%C0%AE", "%ED%A0%80", "%2e%2e%2f", "%0d%0aSet-Cookie:x", "-0", "-32769", "1.0", "1e3", "+1",
    "%EF%BC%91", "%20",
)  # fmt: skip
# JSON documents that no view can mean, as bytes.
JSON = (
    b"[" * 100_000, b'{"a":' * 100_000, b"null", b"7", b"[]", b"{}", b"[null]", b'{"events":[null]}', b"1" + b"0" * 400,
    b'{"events":[{"id":"\\u0000"}]}', b'{"items":["\\ud800","\\u0000"]}', b'{"name":"\\u0000"}', b'{"name":"\\udfff"}',
    b'{"credential":{"rawId":"\\ud800","id":[]}}', b"\xff", b"NaN", b'{"events":' + b"9" * 5000 + b"}",
)  # fmt: skip
# Views that draw a document, which takes a tenth of a second and more.
DOCUMENTS = {
    "holding.pdf", "holding.card", "holding.picture", "holding.badge", "certificates.pdf", "certificates.card",
    "printing.archive", "printing.document", "sharing.pdf", "sharing.picture", "badges.picture",
    "second_names.page", "staff_second_names.page",
    "reports.enrolment_paper", "paper.sheet", "hand_out.sheet",
}  # fmt: skip
_MULTIPART = "multipart/form-data; boundary=x"
WRONG_TYPES = (
    "text/plain", "text/xml", "application/json", "application/json; charset=utf-7", "multipart/form-data", "image/png", "",
    "application/x-www-form-urlencoded; charset=none", "multipart/form-data; boundary=" + "y" * 300,
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
    content_type: str = "application/json"


def requests_of(app: Flask, rule: Rule, arguments: Mapping[str, Any], *, whole: bool) -> Iterator[OddRequest]:
    """The odd requests for a route.

    arguments: values for its path under which it finds a row. whole: each text for each parameter by itself; otherwise each
    parameter gets two of `SINGLY`, in turn, and only for GET, because a form with one field is refused before anything is
    read. Of a view that draws a document only `SINGLY` is sent then.
    """
    path = _address(app, rule, arguments)
    names = _names_of(app, rule)
    draws = rule.endpoint in DOCUMENTS and not whole
    texts = SINGLY if draws else (*TEXTS, *MORE_TEXTS) if whole else TEXTS
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        for name in rule.arguments:
            for value in (*PATHS, *MORE_PATHS) if whole else PATHS:
                yield OddRequest(method, _with_path_value(rule, arguments, name, value))
        for value in BYTES:
            yield OddRequest(method, f"{path}?" + "&".join(f"{name}={value}" for name in names))
        # Each parameter three times, the last of them empty.
        yield OddRequest(method, f"{path}?" + "&".join(f"{name}=1&{name}=32768&{name}=" for name in names))
        for value in texts:
            yield _with_values(method, path, names, value)
            if whole or (value in SINGLY and method == "GET" and not draws):
                for place, name in enumerate(names):
                    if whole or (SINGLY.index(value) + place) % 3 == 0:
                        yield _with_values(method, path, [name], value)
        if method != "GET":
            yield from _bodies_of(method, path, names, reads_json=whole or _reads_json(app, rule), whole=whole)


def _bodies_of(method: str, path: str, names: list[str], *, reads_json: bool, whole: bool) -> Iterator[OddRequest]:
    """Odd bodies. reads_json: each odd document, and not only the first."""
    yield OddRequest(method, path, {names[0]: "x" * 1_000_000})
    for value in ("\0", "9" * 30, "x" * 10_000):
        yield OddRequest(method, path, dict.fromkeys(names, value), multipart=True)
    for body in JSON if reads_json else JSON[:1]:
        yield OddRequest(method, path, body=body)
    # A file where a text is expected; text where a file is, is among the forms above.
    yield OddRequest(method, path, body=_parts(names, file=True), content_type=_MULTIPART)
    form = "&".join(f"{name}=32768" for name in names)
    yield OddRequest(
        method, path, body=form.encode("utf-16"), content_type="application/x-www-form-urlencoded; charset=utf-16"
    )
    if whole:
        yield OddRequest(method, path, body=_parts(names * (10_000 // len(names)), file=False), content_type=_MULTIPART)
        yield OddRequest(method, path, body=_parts(names * (2_000 // len(names)), file=True), content_type=_MULTIPART)
        yield OddRequest(method, path, body=_parts(names, file=True)[:-20], content_type=_MULTIPART)
        for content_type in WRONG_TYPES:
            yield OddRequest(method, path, body=form.encode(), content_type=content_type)


def _parts(names: list[str], *, file: bool) -> bytes:
    """The body of a multipart form with a part for each name."""
    kind = '; filename="x\u202e.csv"\r\nContent-Type: text/csv' if file else ""
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"{kind}\r\n\r\n32768\r\n' for name in names)
    return f"{parts}--x--\r\n".encode()


def _reads_json(app: Flask, rule: Rule) -> bool:
    """Tell whether the module of a view reads JSON at all, by itself or by the device's door."""
    source = inspect.getsource(sys.modules[inspect.unwrap(app.view_functions[rule.endpoint]).__module__])
    return "json" in source.lower() or "get_data" in source


def _names_of(app: Flask, rule: Rule) -> list[str]:
    """The parameters that a view could read: those of the forms in its module, and those that it names itself."""
    module = sys.modules[inspect.unwrap(app.view_functions[rule.endpoint]).__module__]
    names = {*_NAMES.findall(inspect.getsource(module)), "page", "next", "lang"}
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Form):
            names |= {name for name in dir(value) if hasattr(getattr(value, name, None), "field_class")}
    return sorted(names - {"csrf_token"})


def _with_values(method: str, path: str, names: list[str], value: str) -> OddRequest:
    if method == "GET":
        return OddRequest(method, f"{path}?" + "&".join(f"{name}={quote(value)}" for name in names))
    return OddRequest(method, path, dict.fromkeys(names, value))


def _address(app: Flask, rule: Rule, arguments: Mapping[str, Any]) -> str:
    return app.url_map.bind("localhost").build(rule.endpoint, {name: arguments[name] for name in rule.arguments})


def _with_path_value(rule: Rule, arguments: Mapping[str, Any], name: str, value: str) -> str:
    """The path with one argument replaced, also by a text that its converter would refuse to build."""
    values = {argument: quote(str(arguments[argument]), safe="") for argument in rule.arguments} | {name: value}
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda part: values[part[1]], rule.rule)
