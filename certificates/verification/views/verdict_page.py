"""The page that says whether a code holds. Each kind of verdict is rendered once a language and filled in from then on."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, render_template, url_for
from flask_babel import force_locale

from certificates.forms import NameForm
from certificates.states import STATE_LABELS
from certificates.verification.verification import Verdict
from lms.core.errors import N_
from lms.core.languages import counted, translated
from lms.core.stencil import Stencil

FOR_EVER = N_("does not expire")


def page(verdict: Verdict, language: str) -> bytes:
    """The page as a scan leads to it: the name box empty. In UTF-8."""
    values = texts(verdict, language)
    kind = ("verdict", language, verdict.state, verdict.reason, *values)
    kept: dict[object, Stencil] = current_app.extensions["verdict_stencils"]
    stencil = kept.get(kind)
    if stencil is None:
        form = NameForm(formdata=None)

        def render(marks: Mapping[str, str]) -> str:
            with force_locale(language):
                return _render(verdict, marks, form, None)

        stencil = kept[kind] = Stencil(tuple(values), render)
    return stencil.fill(values)


def answered(verdict: Verdict, language: str, form: NameForm, answer: bool | None) -> str:
    """The page after a name was typed."""
    with force_locale(language):
        return _render(verdict, texts(verdict, language), form, answer)


def texts(verdict: Verdict, language: str) -> dict[str, str]:
    """What the page says of this very certificate, each as it is shown. Which there are depends on the kind of verdict."""
    found: dict[str, str] = {}
    if verdict.successor is not None:
        found["successor"] = url_for("verification.page", digits=verdict.successor)
    shown = verdict.certificate or verdict.payload
    if shown is not None:
        found["issued_on"] = shown.issued_on.isoformat()
        found["valid_until"] = shown.valid_until.isoformat() if shown.valid_until else translated(FOR_EVER, language)
    if verdict.certificate is not None:
        facts = verdict.certificate.facts
        number = facts["hours"].removesuffix(".0")
        one = 1 if number == "1" else 2  # half an hour is counted as many
        hours = counted("%(hours)s class hour", "%(hours)s class hours", one, language) % {"hours": number}
        found |= {
            "holder": verdict.certificate.masked_name,
            "number": verdict.certificate.number,
            "type": facts["course_" + language],
            "programme": f"{facts['programme_' + language]} · {hours}",
            "unit": facts["unit_" + language],
        }
    return found


def _render(verdict: Verdict, values: Mapping[str, Any], form: NameForm, answer: bool | None) -> str:
    return render_template(
        "verification/page.html",
        state=verdict.state.value,
        reason=verdict.reason,
        title=STATE_LABELS[verdict.state],
        signed=verdict.payload is not None,
        paper=values,
        form=form,
        answer=answer,
    )
