"""Pages of layouts and seals: the branch's own layout, those of single courses, a live preview, and the seals of units."""

import base64
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates.branch import BRANCH_UNIT, Branch
from certificates.layouts import layouts, pictures, trial
from certificates.layouts.forms import LayoutForm, SealForm
from certificates.layouts.wording import DEFAULT
from certificates.rendering import CertificateDocument, Layout
from courses.catalogue import catalogue
from courses.models.catalogue import Course
from lms.core import clock
from lms.core.access import requires
from lms.core.error_pages import message_of
from lms.core.errors import DomainError, NotFound
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import language, named
from lms.core.request_db import db
from lms.core.scope import Role
from lms.organisations import districts

blueprint = Blueprint("layouts", __name__)

# What a preview shows: the paper, and the number of its page.
PREVIEWS: Mapping[str, tuple[Layout, int]] = {"a4": (Layout.A4, 0), "front": (Layout.CARD, 0), "back": (Layout.CARD, 1)}


@blueprint.get("/")
@requires(Role.CITY_ADMINISTRATOR)
def index() -> str:
    """Show the layouts and the seals that are set."""
    return _index(_seal_form())


@blueprint.route("/branch", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def branch() -> ResponseReturnValue:
    """Change the branch's own layout, which all courses have but those with one of their own."""
    return _edit(None)


@blueprint.route("/courses/<int:course_id>", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def course(course_id: int) -> ResponseReturnValue:
    """Change the layout of a course."""
    return _edit(catalogue.get_course(db(), course_id))


@blueprint.post("/courses/<int:course_id>/remove")
@requires(Role.CITY_ADMINISTRATOR)
def remove(course_id: int) -> ResponseReturnValue:
    """Let a course have the branch's layout again."""
    layouts.remove(db(), catalogue.get_course(db(), course_id).id)
    flash(_("The course has the branch's layout again."))
    return redirect(url_for(".index"))


@blueprint.post("/preview/<picture>")
@blueprint.post("/preview/<picture>/<int:course_id>")
@requires(Role.CITY_ADMINISTRATOR)
def preview(picture: str, course_id: int | None = None) -> ResponseReturnValue:
    """Draw a specimen with the texts of the form as they are, before they are saved."""
    if picture not in PREVIEWS:
        raise NotFound
    form = LayoutForm()
    try:
        if not form.validate():
            return Response(_("Check the marked fields below."), 422, mimetype="text/plain")
        layout, number = PREVIEWS[picture]
        png = trial.pages(_specimen(form, catalogue.get_course(db(), course_id) if course_id else None), layout)[number]
    except DomainError as error:
        return Response(message_of(error), 422, mimetype="text/plain")
    return Response(png, mimetype="image/png")


@blueprint.post("/seals")
@requires(Role.CITY_ADMINISTRATOR)
def set_seal() -> ResponseReturnValue:
    """Set the seal of an issuing unit."""
    form = _seal_form()
    if form.validate_on_submit():
        with refused_on(form):
            layouts.set_seal(db(), form.unit.data, form.file.data.read(pictures.LARGEST + 1))
            flash(_("The seal is on all certificates that this unit issues from now on."))
            return redirect(url_for(".index", _anchor="seals"))
    return make_response(_index(form), 422)


@blueprint.post("/seals/<int(max=255):unit>/remove")
@requires(Role.CITY_ADMINISTRATOR)
def remove_seal(unit: int) -> ResponseReturnValue:
    """Let a unit issue without a seal."""
    layouts.remove_seal(db(), unit)
    flash(_("Certificates from now on have no seal of this unit."))
    return redirect(url_for(".index", _anchor="seals"))


@blueprint.get("/seals/<int(max=255):unit>.png")
@requires(Role.CITY_ADMINISTRATOR)
def seal(unit: int) -> ResponseReturnValue:
    """Show the seal of a unit."""
    digest = layouts.seals(db()).get(unit)
    if digest is None:
        raise NotFound
    return Response(pictures.files(db(), [digest])[digest].read_bytes(), mimetype="image/png")


def _index(form: SealForm) -> str:
    seals = layouts.seals(db())
    return render_template(
        "layouts/index.html",
        courses=layouts.courses(db()),
        sealed=[(unit, name) for unit, name in _units() if unit in seals],
        form=form,
        branch=_branch(),
        branch_sealed=BRANCH_UNIT in seals,
    )


def _seal_form() -> SealForm:
    form = SealForm()
    form.unit.choices = choices(_units())
    return form


def _units() -> list[tuple[int, str]]:
    """The issuing units by number, each with its name in the page's language."""
    branch = _branch()
    own = branch.name_zh if language() == "zh" else branch.name_en
    return [(BRANCH_UNIT, own), *((district.id, named(district)) for district in districts.everyone(db()))]


def _edit(of_course: Course | None) -> ResponseReturnValue:
    course_id = of_course.id if of_course is not None else None
    wording, own = layouts.wording_of(db(), course_id)
    form = LayoutForm(obj=wording) if request.method == "GET" else LayoutForm()
    drawn: dict[str, str] = {}
    if form.validate_on_submit():
        document = _specimen(form, of_course)
        with refused_on(form):
            if "preview" in request.form:
                drawn = _drawn(document)
            else:
                trial.demand_room(document)
                layouts.save(db(), course_id, form.wording())
                flash(_("Saved. Certificates that are issued from now on have this layout; older ones keep theirs."))
                return redirect(url_for(".index"))
    elif not form.is_submitted():
        drawn = _drawn(_specimen(form, of_course))
    body = render_template(
        "layouts/form.html", form=form, course=of_course, own=own, drawn=drawn, default=DEFAULT, course_id=course_id
    )
    return make_response(body, 422 if form.errors else 200)


def _drawn(document: CertificateDocument) -> dict[str, str]:
    """The pictures of the preview as addresses that hold the picture, for browsers without JavaScript."""
    pages = {layout: trial.pages(document, layout) for layout in Layout}
    return {
        name: f"data:image/png;base64,{base64.b64encode(pages[layout][number]).decode()}"
        for name, (layout, number) in PREVIEWS.items()
    }


def _specimen(form: LayoutForm, of_course: Course | None) -> CertificateDocument:
    branch = _branch()
    seals = layouts.seals(db())
    digest = next(iter(seals.values()), None)
    seal = pictures.files(db(), [digest])[digest] if digest is not None else branch.seal
    return trial.specimen(form.wording(), of_course, branch, clock.branch_today(), seal)


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
