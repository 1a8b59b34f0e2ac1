"""Snapshots of all pages and files, for comparing them before an import and after its undo."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from werkzeug.routing import Rule

from lms.core import fast_path
from lms.core.limits import limiter

# Pages of imports, of the audit trail, of the running process and of what is stored of persons (imported files are kept
# for 30 days), where an import and its undo must leave traces, and the page that draws a new secret at each reading.
TRACES = (
    "imports.", "audit.", "health.", "exports.page", "exports.file", "processing.page", "processing.export",
    "personal_data.erase", "second_factor.app",
)  # fmt: skip
# A stream that does not end, and files of the program.
ENDLESS = (
    "code_display.stream",
    "static",
    "bootstrap.static",
    "offline.worker",
    "offline.decoding_worker",
    "offline_session.worker",
)
# Questions to the reports: all of time, whole years, days within months, as known today, by each grouping.
PERIODS = (
    "since=2010-01-01&until=2026-12-31", "since=2015-02-03&until=2026-11-29", "since=2015-01-01&until=2015-12-31",
    "since=2015-03-01&until=2015-03-31", "since=2026-10-01&until=2026-12-31",
)  # fmt: skip
GROUPINGS = ("month", "quarter", "year", "programme", "district", "course", "instructor", "host", "sector")
ASKING = ("reports.", "indicators.", "report_hours.", "report_waiting.", "exports.offerings", "exports.new")
STATES = ("all", "closed", "cancelled")
# Tokens, the ids of a form that is sent once, the ids of charts, and the times at which spreadsheets were made.
_VARYING = re.compile(
    rb'name="(csrf[_-]token|event|batch|pending)"[^>]*>|(nonce|data-token)="[^"]*"|chart-[0-9a-f-]{36}|<dcterms:[^<]*<'
)


def addresses(app: Flask, ids: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield endpoint and address of each page that can be read, with each of its kinds and formats and the given ids."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(TRACES) or rule.endpoint in ENDLESS:
            continue
        for values in _values(rule, ids):
            path = app.url_map.bind("localhost").build(rule.endpoint, values, method="GET")
            yield from ((rule.endpoint, path + query) for query in _queries(rule, path))


def _values(rule: Rule, ids: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = [{}]
    for name in sorted(rule.arguments):
        options: Sequence[Any] = getattr(rule._converters[name], "items", None) or ids.get(name) or [1]
        choices = [{**choice, name: option} for choice in choices for option in options]
    return choices


def _queries(rule: Rule, path: str) -> list[str]:
    if rule.endpoint in {"offerings.index", "public_offerings.page"}:
        return ["", *(f"?state={state}" for state in STATES)]
    if rule.endpoint == "trainees.index":
        return ["", "?q=撤销", "?q=王小明"]
    if not rule.endpoint.startswith(ASKING):
        return [""]
    periods = PERIODS if "/export/" not in path and not path.endswith(".pdf") else PERIODS[:1]
    groupings = GROUPINGS if len(periods) > 1 else GROUPINGS[:1]
    questions = [f"?{period}&grouping=month" for period in periods]
    questions += [f"?{periods[0]}&grouping={grouping}" for grouping in groupings[1:]]
    figures = [f"?{periods[0]}&figure={figure}" for figure in ("offerings", "certificates")]
    return ["", *questions, *(figures if rule.endpoint.endswith(".offerings") else [])]


def snapshot(browser: FlaskClient, wanted: Sequence[tuple[str, str]]) -> dict[str, tuple[int, bytes]]:
    """Read each address: the status, and the content without tokens and the times at which files were made."""
    pages = {}
    limiter.reset()
    for limit in fast_path.minute_limits:
        limit.reset()
    for _endpoint, path in wanted:
        answer = browser.get(path)
        pages[path] = (answer.status_code, _content(answer.mimetype, answer.get_data()))
        answer.close()
    return pages


def _content(kind: str, content: bytes) -> bytes:
    if kind == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).encode()
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [archive.read(name) for name in archive.namelist()]
        return _VARYING.sub(b"", b"\n".join(parts))
    return _VARYING.sub(b"", content)


def differing(before: Mapping[str, tuple[int, bytes]], after: Mapping[str, tuple[int, bytes]]) -> dict[str, str]:
    """Return for each page that differs the first line that does."""
    return {path: _first(old[1], after[path][1]) for path, old in before.items() if old != after[path]}


def _first(old: bytes, new: bytes) -> str:
    lines = zip(old.splitlines(), new.splitlines(), strict=False)
    pair = next(
        ((one, other) for one, other in lines if one != other), (str(len(old)).encode(), str(len(new)).encode())
    )
    return " → ".join(text.decode(errors="replace").strip()[:200] for text in pair)
