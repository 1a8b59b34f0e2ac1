"""Checks and updates of the translation catalogue: every string of the interface must be in both languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from lms.config import ROOT
from lms.core.languages import CATALOGUE

PACKAGES = ("lms", "courses", "certificates", "instructors")
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "_l": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "counted": (1, 2),
}
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
# Texts that are the same in both languages, and the names of languages.
NEUTRAL = frozenset({"English", "中文", "PDF", "CSV", "XLSX", "AED", "CPR", "QR"})
ATTRIBUTES = re.compile(r'\b(?:title|alt|placeholder|aria-label)="([^"{]*[A-Za-z\u4e00-\u9fff][^"{]*)"')
WORD = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
ADDRESS = re.compile(r"^[?&/][\w/?&=-]*$")
# A number before a noun in the plural: it needs a singular too. Names, and limits that are never one, are no such
# numbers.
COUNTED = re.compile(r"%\((\w+)\)s (?:of )?(?:[a-z-]+ )?(?:people|[a-z-]*[^\Wsu_]s)\b")
NOT_COUNTED = frozenset({"email", "kid", "least", "limit", "line", "most", "name", "quarter", "text", "time"})
NO_NOUN = re.compile(r"%\(\w+\)s (?:of )?(?:[a-z-]+ )?(?:as|has|is|this|was)\b")
PLACE = re.compile(r"%\((\w+)\)[sd]")


@dataclass(frozen=True)
class Problem:
    """A string that is missing or wrong in one language, and its place in the code."""

    place: str
    message: str


def extracted() -> Catalog:
    """Every msgid of the code and the templates."""
    catalogue = Catalog(locale="zh", project="lms", charset="utf-8")
    for package in PACKAGES:
        for filename, line, message, comments, context in extract_from_dir(
            str(ROOT / package), METHODS, OPTIONS, keywords=KEYWORDS
        ):
            catalogue.add(message, None, [(f"{package}/{filename}", line)], auto_comments=comments, context=context)
    return catalogue


def stored() -> Catalog:
    """The stored catalogue."""
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="zh")


def problems() -> list[Problem]:
    """Msgids that are untranslated, fuzzy, unused or have other placeholders, and texts of templates without a msgid."""
    code, catalogue = extracted(), stored()
    problems: list[Problem] = []
    for message in code:
        if message.id:
            problems.extend(_compare(message, catalogue.get(message.id)))
    used = {message.id for message in code}
    problems.extend(
        Problem("messages.po", f"no longer used: {message.id}") for message in catalogue if message.id not in used
    )
    problems.extend(_bare_texts())
    return problems


def _compare(message: Message, translated: Message | None) -> Iterator[Problem]:
    place = "{}:{}".format(*message.locations[0])
    text = None if translated is None else translated.string
    strings = [text] if isinstance(text, str) else list(text or [])
    if not strings or not all(strings):
        yield Problem(place, f"not in Chinese: {message.id}")
        return
    if translated is not None and translated.fuzzy:
        yield Problem(place, f"marked as uncertain: {message.id}")
    if isinstance(message.id, str) and _lacks_singular(message.id):
        yield Problem(place, f"reads wrong for 1, use ngettext: {message.id}")
    msgids = [message.id] if isinstance(message.id, str) else list(message.id)
    wanted = set(PLACE.findall(msgids[-1]))
    if any(set(PLACE.findall(string)) != wanted for string in strings):
        yield Problem(place, f"the %(…)s places differ: {message.id}")


def _lacks_singular(msgid: str) -> bool:
    return any(found[1] not in NOT_COUNTED and not NO_NOUN.match(found[0]) for found in COUNTED.finditer(msgid))


def _bare_texts() -> Iterator[Problem]:
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    for path in sorted((ROOT / "lms" / "templates").rglob("*.html")):
        for line, text in _literals(environment, path):
            yield Problem(f"{path.relative_to(ROOT)}:{line}", f"not translatable: {text}")


def _literals(environment: Environment, path: Path) -> Iterator[tuple[int, str]]:
    depth = 0
    source = path.read_text(encoding="utf-8")
    markup = ""
    for line, kind, value in environment.lex(source):
        if kind == "name" and value in {"trans", "endtrans"}:
            depth += 1 if value == "trans" else -1
        if kind == "data" and not depth:
            markup += value
        elif kind in {"linecomment", "comment"}:
            continue
        elif kind in {"variable_begin", "block_begin"}:
            markup += "\N{NO-BREAK SPACE}" if kind == "variable_begin" else ""
        del line
    for attribute in ATTRIBUTES.finditer(markup):
        yield source.count("\n", 0, source.find(attribute.group(0))) + 1, attribute.group(1)
    markup = re.sub(r"<!--.*?-->|<(script|style)\b.*?</\1>|<!doctype[^>]*>", " ", markup, flags=re.S | re.I)
    # A macro that writes attributes into somebody's tag has no tag of its own.
    markup = re.sub(r"\b[\w-]+=\"[\s\N{NO-BREAK SPACE}]*\"", " ", markup)
    for text in re.split(r"<[^>]*>", markup):
        plain = re.sub(r"&\w+;|\N{NO-BREAK SPACE}", " ", text).strip()
        if WORD.search(plain) and plain not in NEUTRAL and not ADDRESS.match(plain):
            yield source.count("\n", 0, max(source.find(plain.splitlines()[0].strip()), 0)) + 1, plain


def update() -> int:
    """Write the catalogue with the msgids of the code and their stored translations.

    Returns how many have no translation.
    """
    code, catalogue = extracted(), stored()
    fresh = Catalog(locale="zh", project="lms", charset="utf-8", fuzzy=False)
    lacking = 0
    for message in code:
        if not message.id:
            continue
        known = catalogue.get(message.id)
        string = known.string if known is not None else None
        lacking += not string
        fresh.add(message.id, string or ("",) if isinstance(message.id, tuple) else string or "")
    with CATALOGUE.open("wb") as target:
        write_po(target, fresh, width=120, sort_output=True, no_location=True, omit_header=False)
    return lacking
