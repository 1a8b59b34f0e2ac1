"""Pages of the catalogue. Administrators and auditors read them; only the city's administrators change courses."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.catalogue import catalogue, prerequisites
from courses.catalogue.catalogue import CourseFacts
from courses.catalogue.forms import CourseForm, PrerequisiteForm, ProgrammeForm
from courses.models.catalogue import Course, Programme
from lms.core.access import requires
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.request_db import db
from lms.core.scope import READERS, Role

blueprint = Blueprint("catalogue", __name__)


@blueprint.get("/")
@requires(*READERS)
def index() -> str:
    """Every programme with its courses."""
    return render_template("catalogue/index.html", groups=catalogue.list_by_programme(db()))


@blueprint.get("/<int:course_id>")
@requires(*READERS)
def page(course_id: int) -> str:
    """A course: its requirements and its checklist."""
    course = catalogue.get_course(db(), course_id)
    offering_count = catalogue.count_offerings(db(), course.id)
    return render_template(
        "catalogue/page.html",
        course=course,
        offering_count=offering_count,
        types=prerequisites.certificate_types(db()) if course.prerequisites else {},
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def new() -> ResponseReturnValue:
    """Add a course."""
    return _course_form(CourseForm(programme_code=request.args.get("programme")), None)


@blueprint.route("/<int:course_id>/edit", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def edit(course_id: int) -> ResponseReturnValue:
    """Change a course and its checklist."""
    course = catalogue.get_course(db(), course_id)
    skills = [
        {"skill_id": skill.id, "name_zh": skill.name_zh, "name_en": skill.name_en}
        for skill in course.skills
        if skill.active
    ]
    demanded = [PrerequisiteForm.shown(row) for row in course.prerequisites]
    form = CourseForm()
    if request.method == "GET":
        # Not the row as `obj`: WTForms would take its skills and prerequisites for those of the form.
        facts = {name: getattr(course, name) for name in CourseFacts.__dataclass_fields__}
        form = CourseForm(data=facts | {"skills": skills, "prerequisites": demanded})
    form.code.data = course.code
    return _course_form(form, course)


def _course_form(form: CourseForm, course: Course | None) -> ResponseReturnValue:
    form.programme_code.choices = choices(
        (programme.code, named(programme)) for programme in catalogue.list_programmes(db())
    )
    button_pressed = form.is_submitted() and form.handle_button(request.form)
    form.offer_types([(number, named(known)) for number, known in prerequisites.certificate_types(db()).items()])
    if not button_pressed and form.validate_on_submit():
        with refused_on(form):
            if course is None:
                saved = catalogue.add_course(db(), form.facts(), form.checklist(), form.demanded())
            else:
                saved = course
                catalogue.change_course(db(), course, form.facts(), form.checklist(), form.demanded())
            flash(_("Saved."))
            return redirect(url_for(".page", course_id=saved.id))
    body = render_template("catalogue/form.html", form=form, course=course)
    return make_response(body, 422 if form.is_submitted() and not button_pressed else 200)


@blueprint.route("/programmes/new", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def new_programme() -> ResponseReturnValue:
    """Add a programme."""
    return _programme_form(ProgrammeForm(), None)


@blueprint.route("/programmes/<code>/edit", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def edit_programme(code: str) -> ResponseReturnValue:
    """Rename or reorder a programme."""
    programme = catalogue.get_programme(db(), code)
    form = ProgrammeForm(obj=programme)
    form.code.data, form.short_code.data = programme.code, programme.short_code
    return _programme_form(form, programme)


def _programme_form(form: ProgrammeForm, programme: Programme | None) -> ResponseReturnValue:
    if form.validate_on_submit():
        with refused_on(form):
            if programme is None:
                catalogue.add_programme(db(), form.facts())
            else:
                catalogue.change_programme(db(), programme, form.facts())
            flash(_("Saved."))
            return redirect(url_for(".index"))
    body = render_template("catalogue/programme.html", form=form, programme=programme)
    return make_response(body, 422 if form.is_submitted() else 200)
