"""The register of processing, the rules of retention, and open requests for erasure."""

import io

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.privacy import erasure, labels, processing, retention
from courses.privacy.forms.personal_data import RetentionForm
from lms.accounts.current import confirmed
from lms.core import audit, exports, personal_data, retention_rules
from lms.core.access import holds, requires
from lms.core.exports import MEDIA_TYPES, Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.request_db import db
from lms.core.retention_rules import PeriodUnit, RetentionRule
from lms.core.scope import Role

blueprint = Blueprint("processing", __name__)

READERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)


@blueprint.get("/")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """The register of processing."""
    return render_template(
        "processing/page.html",
        records=processing.register(db()),
        labels=labels,
        period_text=_period_text,
        source=_source,
        apart=personal_data.APART,
    )


@blueprint.get("/register.<any(csv, xlsx):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """The register as a file."""
    headings = [
        _("Kind of data"), _("Whose data"), _("Purpose"), _("Legal basis"), _("Receivers"), _("Tables and columns"),
        _("Kept for"), _("Reason"), _("Number of rows"),
    ]  # fmt: skip
    rows = [
        (
            _(record.kind.label),
            "、".join(_(labels.WHOSE[whose]) for whose in record.kind.whose),
            _(record.kind.purpose),
            _(labels.BASES[record.kind.basis]),
            "、".join(_(labels.RECEIVERS[receiver]) for receiver in record.kind.receivers),
            "; ".join(f"{table}: {', '.join(columns)}" for table, columns in record.kind.tables.items()),
            _period_text(record.rule),
            _source(record.rule),
            record.rows,
        )
        for record in processing.register(db())
    ]
    file = io.BytesIO()
    exports.write(Sheet(_("Register of processing"), headings, rows), Format(form), file)
    audit.record(db(), "processing.export", "report:processing", after={"format": form, "rows": len(rows)})
    return Response(
        file.getvalue(),
        content_type=MEDIA_TYPES[Format(form)],
        headers={"Content-Disposition": f"attachment; filename=register-of-processing.{form}"},
    )


@blueprint.get("/retention")
@requires(*READERS)
def rules() -> ResponseReturnValue:
    """The periods, and what the next night would erase."""
    return render_template(
        "processing/retention.html",
        due=retention.overview(db()),
        period_text=_period_text,
        source=_source,
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )


@blueprint.route("/retention/<code>", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
@confirmed
def change(code: str) -> ResponseReturnValue:
    """Change the period of a kind."""
    kind, rule = retention_rules.changeable(db(), code)
    form = RetentionForm(data={"amount": rule.amount, "unit": rule.unit})
    if form.validate_on_submit():
        with refused_on(form):
            retention.change_period(db(), code, form.amount.data or 0, PeriodUnit(form.unit.data), form.reason.data)
            flash(_("The period was changed. It holds from the next night on."))
            return redirect(url_for("processing.rules"))
    body = render_template("processing/change.html", kind=kind, rule=rule, form=form, source=_source)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.get("/requests")
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR)
def requests() -> ResponseReturnValue:
    """The requests for erasure that are not answered."""
    return render_template("processing/requests.html", requests=erasure.open_requests(db()))


def _period_text(rule: RetentionRule) -> str:
    if rule.amount is None:
        return _("kept for good")
    return f"{rule.amount} {_(labels.UNITS[rule.unit])}"


def _source(rule: RetentionRule) -> str:
    return rule.source_zh if language() == "zh" else rule.source_en
