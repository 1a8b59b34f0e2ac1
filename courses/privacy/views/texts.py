"""The privacy notice, public in every version, and the page on which a city administrator publishes a new one."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import privacy_texts
from courses.models.privacy import PrivacyText
from courses.privacy.forms.personal_data import PrivacyTextForm
from lms.accounts.current import confirmed
from lms.core import clock
from lms.core.access import public, requires
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.request_db import db
from lms.core.scope import Role

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """The version in force."""
    return _render(privacy_texts.current(db()))


@blueprint.get("/<int(max=32767):version>")
@public
def version(version: int) -> ResponseReturnValue:
    """An earlier version, or one that is not in force yet."""
    return _render(privacy_texts.get(db(), version))


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
@confirmed
def new() -> ResponseReturnValue:
    """Publish a new version: the form, then a preview with the button, then the text is fixed for good."""
    text = privacy_texts.current(db())
    form = PrivacyTextForm(
        data={"text_zh": text.text_zh, "text_en": text.text_en, "in_force_from": clock.branch_today()}
    )
    previewed = False
    if form.validate_on_submit():
        if "publish" in request.form:
            with refused_on(form):
                row = privacy_texts.publish(
                    db(), form.text_zh.data or "", form.text_en.data or "", form.in_force_from.data
                )
                flash(_("Version %(version)s of the privacy notice was published.", version=row.version))
                return redirect(url_for("privacy.version", version=row.version))
        else:
            previewed = True
    preview = {code: _blocks(form[f"text_{code}"].data or "", code) for code in ("zh", "en")} if previewed else {}
    body = render_template("privacy/new.html", form=form, preview=preview)
    return make_response(body, 422 if form.is_submitted() and not previewed else 200)


def _render(text: PrivacyText) -> str:
    code = language()
    return render_template(
        "privacy/page.html",
        text=text,
        blocks=_blocks(text.text_zh if code == "zh" else text.text_en, code),
        current=privacy_texts.current(db()),
        versions=privacy_texts.versions(db()),
    )


def _blocks(text: str, code: str) -> list[tuple[str, list[str]]]:
    settings = current_app.config["SETTINGS"]
    organisation = settings.organisation_name_zh if code == "zh" else settings.organisation_name_en
    contact = settings.privacy_contact or organisation
    return privacy_texts.blocks(privacy_texts.filled(text, organisation=organisation, contact=contact))
