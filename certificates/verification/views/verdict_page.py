"""The page with the verdict on a code. Each kind of verdict is rendered once per language and filled in from then on."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, render_template, url_for
from flask_babel import force_locale

from certificates import qualification
from certificates.forms import NameForm
from certificates.states import verdict_label
from certificates.verification.verification import Verdict
from lms.core import clock
from lms.core.errors import N_
from lms.core.languages import counted, translated
from lms.core.prerendered import PrerenderedPage

DOES_NOT_EXPIRE = N_("does not expire")
NAME_ERASED = N_("The name was erased (personal data)")


def page(verdict: Verdict, language: str) -> bytes:
    """Return the page that a scan leads to, in UTF-8, with an empty name box."""
    values = texts(verdict, language)
    kind = ("verdict", language, verdict.state, verdict.reason, *values)
    pages: dict[object, PrerenderedPage] = current_app.extensions["verdict_pages"]
    prerendered = pages.get(kind)
    if prerendered is None:
        form = NameForm(formdata=None)

        def render(placeholders: Mapping[str, str]) -> str:
            with force_locale(language):
                return _render(verdict, placeholders, form, None)

        prerendered = pages[kind] = PrerenderedPage(tuple(values), render)
    return prerendered.fill(values)


def answered(verdict: Verdict, language: str, form: NameForm, answer: bool | None) -> str:
    """Return the page after a name was typed."""
    with force_locale(language):
        return _render(verdict, texts(verdict, language), form, answer)


def texts(verdict: Verdict, language: str) -> dict[str, str]:
    """Return the texts of this very certificate as they are shown; their keys depend on the kind of verdict."""
    values: dict[str, str] = {"verified_at": _moment()}
    if verdict.successor is not None:
        values["successor"] = url_for("verification.page", digits=verdict.successor)
    dated = verdict.certificate or verdict.payload
    if dated is not None:
        values["issued_on"] = dated.issued_on.isoformat()
        values["valid_until"] = (
            dated.valid_until.isoformat() if dated.valid_until else translated(DOES_NOT_EXPIRE, language)
        )
    if verdict.certificate is not None:
        facts = verdict.certificate.facts
        certified = qualification.of_facts(facts)
        number = certified.hours
        plural_form = 1 if number == "1" else 2  # fractions of an hour take the plural
        hours = counted("%(hours)s class hour", "%(hours)s class hours", plural_form, language) % {"hours": number}
        values |= {
            "holder": verdict.certificate.masked_name or translated(NAME_ERASED, language),
            "number": verdict.certificate.number,
            "type": certified.name(language),
            "programme": f"{facts['programme_' + language]} · {hours}",
            "unit": facts["unit_" + language],
        }
    return values


def _moment() -> str:
    """The present minute in the branch's time zone, such as "2026-03-05 15:40 UTC+08:00"."""
    return _minute(int(clock.now().timestamp() // 60), current_app.config["SETTINGS"].zone)


@lru_cache(maxsize=4)
def _minute(minute: int, zone: ZoneInfo) -> str:
    """A minute, counted from 1970, as `_moment` says it. Thousands of scans within a minute share one text."""
    local = datetime.fromtimestamp(minute * 60, zone).isoformat(" ", "minutes")
    return f"{local[:-6]} UTC{local[-6:]}"


def _render(verdict: Verdict, values: Mapping[str, Any], form: NameForm, answer: bool | None) -> str:
    return render_template(
        "verification/page.html",
        state=verdict.state.value,
        reason=verdict.reason,
        title=verdict_label(verdict.state, verdict.reason),
        signed=verdict.payload is not None,
        paper=values,
        form=form,
        answer=answer,
        contact=current_app.config["SETTINGS"].verification_contact,
    )
