"""Languages: Chinese first, English second.

The catalogue is compiled from its source (.po) at start, without a build step.
"""

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from babel.units import format_unit
from flask import Flask, Response, current_app, g, has_request_context, request, url_for
from flask_babel import Babel, Domain, force_locale, format_date, format_datetime, format_time, get_locale
from flask_login import current_user
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from lms.config import ROOT
from lms.core import clock, cookies

LANGUAGES = ("zh", "en")
COOKIE = "language"
CATALOGUE = ROOT / "lms" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
HTML_LANGUAGE = {"zh": "zh-Hans", "en": "en"}


@lru_cache(maxsize=1)
def chinese() -> Translations:
    """The Chinese catalogue. English needs none, because the msgids are English."""
    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="zh")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


class CatalogueDomain(Domain):
    """The domain of Flask-Babel that has this catalogue."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the reader's language."""
        return chinese() if language() == "zh" else NullTranslations()


def language() -> str:
    """The reader's language, "zh" or "en"."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def select_language() -> str:
    """The language of the address (`?lang=en`), else of the cookie, of the account, of the browser (`preferred_language`).

    A view on the fast path sets the language itself (`g.language`).
    """
    if not has_request_context():
        return LANGUAGES[0]
    if "language" in g:
        return str(g.language)
    asked = request.args.get("lang")
    chosen = cookies.read(COOKIE)
    for candidate in (asked, chosen):
        if candidate in LANGUAGES:
            return candidate
    own = getattr(current_user, "language", None)  # also of a user who is half signed in
    if own in LANGUAGES:
        return str(own)
    return preferred_language(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def _remember(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        cookies.put(response, COOKIE, asked, timedelta(days=365))
    return response


@lru_cache(maxsize=1024)
def translated(message: str, code: str) -> str:
    """A msgid in a language, independent of the request."""
    return str(chinese().gettext(message)) if code == "zh" else message


def counted(one: str, many: str, number: int, code: str) -> str:
    """The singular or plural of a message, in a language, independent of the request."""
    return str(chinese().ngettext(one, many, number)) if code == "zh" else one if number == 1 else many


def in_both(message: str, **params: Any) -> dict[str, str]:
    """A message in each language, for a program that shows it later. Moments in it are in the branch's time zone."""
    if not params:
        return {code: translated(message, code) for code in LANGUAGES}
    zone = current_app.config["SETTINGS"].zone
    shown = {
        name: value.astimezone(zone).isoformat(" ", "minutes")[:16] if isinstance(value, datetime) else value
        for name, value in params.items()
    }
    return {code: translated(message, code) % shown for code in LANGUAGES}


@lru_cache(maxsize=256)
def preferred_language(accept: str) -> str:
    """The language of a browser by its header Accept-Language.

    A browser that names languages, and neither of ours among them ("fr, *;q=0.5"), gets English. One that names none gets
    Chinese.
    """
    languages = LanguageAccept([(code, quality) for code, quality in parse_accept_header(accept) if code != "*"])
    return (languages.best_match(LANGUAGES) or "en") if languages else LANGUAGES[0]


def visitor_language() -> str:
    """As `select_language`, for views on the fast path, which have no current_user."""
    if request.query_string and (asked := request.args.get("lang")) in LANGUAGES:
        return str(asked)
    if "HTTP_COOKIE" in request.environ and (chosen := cookies.read(COOKIE)) in LANGUAGES:
        return str(chosen)
    return preferred_language(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def other_language_address() -> str:
    """The address of this page in the other language."""
    other = "en" if language() == "zh" else "zh"
    if request.endpoint is None or request.method != "GET":
        return f"?lang={other}"
    return _address(lang=other)


def _address(**changed: str | int) -> str:
    """The address of this page with changed arguments.

    `url_for` does not get the query string, whose `_external` it would take.
    """
    path = url_for(request.endpoint or "", **(request.view_args or {}))
    return f"{path}?{urlencode({**request.args.to_dict(flat=False), **changed}, doseq=True)}"


def named(thing: Any) -> str:
    """The name of a row that has `name_zh` and `name_en`, in the reader's language."""
    english = getattr(thing, "name_en", None)
    return str(english) if language() == "en" and english else str(thing.name_zh)


def each_language() -> Iterator[str]:
    """Set each language in turn, Chinese first, for mails to people whose language is unknown."""
    for code in LANGUAGES:
        with force_locale(code):
            yield code


def moment(value: datetime | None) -> str:
    """Date and time in the branch's time zone."""
    return "" if value is None else str(format_datetime(value, "yyyy-MM-dd HH:mm"))


def day(value: date | datetime | None) -> str:
    """A date with its weekday."""
    if value is None:
        return ""
    pattern = "yyyy-MM-dd EEE"
    return str(format_datetime(value, pattern) if isinstance(value, datetime) else format_date(value, pattern))


def clock_time(value: datetime | None) -> str:
    """Hours and minutes."""
    return "" if value is None else str(format_time(value, "HH:mm"))


def clock_seconds(value: datetime | None) -> str:
    """Hours, minutes and seconds."""
    return "" if value is None else str(format_time(value, "HH:mm:ss"))


def file_size(count: int) -> str:
    """A size in bytes as file managers show it, at least 0.1 kB."""
    size, unit = max(count / 1000, 0.1), "kilobyte"
    for larger in ("megabyte", "gigabyte"):
        if size >= 1000:  # SI
            size, unit = size / 1000, larger
    return format_unit(size, f"digital-{unit}", "short", format="#,##0.#", locale=get_locale())


def organisation_name() -> str:
    """The branch's name in the reader's language."""
    settings = current_app.config["SETTINGS"]
    return str(settings.organisation_name_en if language() == "en" else settings.organisation_name_zh)


def page_address(page: int) -> str:
    """The address of another page of this list, with its filters."""
    return _address(page=page)


def init_app(app: Flask) -> None:
    """Configure Flask-Babel, and register the template filters for names, moments and sizes."""
    zone = app.config["SETTINGS"].time_zone
    babel = Babel()
    app.config.update(BABEL_DEFAULT_LOCALE="zh", BABEL_DEFAULT_TIMEZONE=zone)
    babel.init_app(app, locale_selector=select_language, timezone_selector=lambda: zone)
    domain = CatalogueDomain()
    babel.domain_instance = domain
    app.after_request(_remember)
    app.jinja_env.filters.update(
        named=named, moment=moment, day=day, clock_time=clock_time, clock_seconds=clock_seconds, file_size=file_size
    )
    app.jinja_env.globals.update(
        language=language,
        other_language_address=other_language_address,
        organisation_name=organisation_name,
        now=clock.now,
        page_address=page_address,
    )
    app.context_processor(lambda: {"html_language": HTML_LANGUAGE[language()]})


def whole(value: int) -> str:
    """1234 → 1,234."""
    return f"{value:,}"
