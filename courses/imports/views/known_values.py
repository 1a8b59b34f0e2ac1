"""Values that the system does not know: matched on the page of an import, and the list of those that are remembered."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.imports import choices, forms, known_values, labels, runs
from courses.imports.forms import KnownValuesForm
from courses.imports.known_values import UnknownValue
from courses.models.imports import ImportRun
from lms.core.access import requires, scope
from lms.core.languages import language
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS

blueprint = Blueprint("import_values", __name__)


def matching(run: ImportRun) -> tuple[KnownValuesForm, Sequence[UnknownValue]]:
    """Return the values of an import that the system does not know, those of most rows first, and the form to match them."""
    values = forms.matchable(known_values.unknown(db(), run))[: known_values.UNKNOWN_SHOWN]
    targets = known_values.targets(db(), run, values)
    return forms.known_values_form(values, targets, chinese=language() == "zh"), values


@blueprint.get("/known-values")
@requires(*ADMINISTRATORS)
def index() -> str:
    """List the values that are remembered."""
    return render_template("imports/known_values.html", listing=known_values.listing(db(), scope()), labels=labels)


@blueprint.post("/known-values/<int:value_id>/forget")
@requires(*ADMINISTRATORS)
def forget(value_id: int) -> ResponseReturnValue:
    """Forget a value."""
    known_values.forget(db(), value_id, scope())
    return redirect(url_for(".index"))


@blueprint.post("/<ref>/values")
@requires(*ADMINISTRATORS)
def match(ref: str) -> ResponseReturnValue:
    """Remember what the values of a file stand for, and check the file again."""
    run = runs.find(db(), ref, scope())
    choices.require_reopening(db(), run)
    form, _values = matching(run)
    if not form.validate_on_submit() or not known_values.match(db(), run, form.chosen(), scope()):
        flash(_("Choose what at least one of the values stands for."), "warning")
        return redirect(url_for("imports.page", ref=ref, _anchor="values-unknown"))
    choices.reopen(db(), run)
    runs.check(db(), run)
    return redirect(url_for("imports.page", ref=ref))
