"""Enrolments of an offering: the list, enrolling at the desk, cancelling, and the order of the waiting list."""

import io
from collections.abc import Callable

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import listings, sheet_import, trainees
from courses.enrolment import places as enrolment
from courses.enrolment import sheet as enrolment_sheet
from courses.enrolment.forms.enrolment import ApplyForm, DeskForm, KnownForm, ReasonForm, UploadForm
from courses.enrolment.forms.trainees import ID_TYPES, SearchForm
from courses.enrolment.places import AtTheDesk
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core import exports
from lms.core.access import requires, scope
from lms.core.exports import MEDIA_TYPES, Format, Sheet
from lms.core.languages import language
from lms.core.masks import mask_phone
from lms.core.scope import STAFF, Role, fetch
from lms.core.web import db, refused_on

blueprint = Blueprint("enrolment", __name__)

READERS = (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)


@blueprint.get("/")
@requires(*READERS)
def index(offering_id: int) -> ResponseReturnValue:
    """Everybody of an offering: who has a place, who waits, who cancelled."""
    offering = fetch(db(), Offering, offering_id, scope())
    return render_template(
        "enrolment/index.html",
        offering=offering,
        lines=listings.listing(db(), offering_id),
        places=enrolment.places_of(db(), offering),
        states=listings.STATES,
        sources=listings.SOURCES,
        mask_phone=mask_phone,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*STAFF)
def new(offering_id: int) -> ResponseReturnValue:
    """Enrol somebody by their facts: found if we know them, registered if not."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = DeskForm()
    found = AtTheDesk(None)
    if form.validate_on_submit():
        with refused_on(form):
            confirmed = form.confirmed.data == "yes"
            found = enrolment.enrol_at_desk(db(), offering, form.facts(), confirmed=confirmed)
            if found.enrolment is not None:
                return _enrolled(found.enrolment)
    body = _desk(offering, form=form, found=found, search=SearchForm(formdata=None))
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/find")
@requires(*STAFF)
def find(offering_id: int) -> ResponseReturnValue:
    """Look somebody up in the register, to enrol them."""
    offering = fetch(db(), Offering, offering_id, scope())
    search = SearchForm()
    search.validate()
    people = trainees.search(db(), search.words.data, scope()).rows if search.words.data else ()
    return _desk(offering, form=DeskForm(formdata=None), found=AtTheDesk(None), search=search, people=people)


@blueprint.post("/known")
@requires(*STAFF)
def known(offering_id: int) -> ResponseReturnValue:
    """Enrol somebody who was found in the register."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = KnownForm()
    if not form.validate_on_submit():
        return redirect(url_for("enrolment.new", offering_id=offering_id))
    trainee = fetch(db(), Trainee, form.trainee_id.data, scope())
    found = AtTheDesk(None)
    with refused_on(form):
        found = enrolment.enrol_known(db(), offering, trainee, confirmed=form.confirmed.data == "yes")
        if found.enrolment is not None:
            return _enrolled(found.enrolment)
    return make_response(
        render_template("enrolment/known.html", offering=offering, trainee=trainee, form=form, found=found), 422
    )


@blueprint.route("/<int:enrolment_id>/cancel", methods=["GET", "POST"])
@requires(*STAFF)
def cancel(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Cancel somebody's enrolment, with a reason; the next who waits gets the place."""
    return _with_reason(
        "enrolment/cancel.html", offering_id, enrolment_id, enrolment.cancel, _("The enrolment was cancelled.")
    )


@blueprint.route("/<int:enrolment_id>/place", methods=["GET", "POST"])
@requires(*STAFF)
def give_place(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Give somebody who waits a place out of turn, with a reason."""
    return _with_reason(
        "enrolment/give_place.html", offering_id, enrolment_id, enrolment.give_place, _("The trainee has a place now.")
    )


@blueprint.post("/<int:enrolment_id>/up")
@requires(*STAFF)
def move_up(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Move somebody up by one on the waiting list."""
    enrolment.move_up(db(), _row(offering_id, enrolment_id))
    return redirect(url_for("enrolment.index", offering_id=offering_id, _anchor="waiting"))


@blueprint.route("/import", methods=["GET", "POST"])
@requires(*STAFF)
def upload(offering_id: int) -> ResponseReturnValue:
    """Send a spreadsheet; its rows are shown before anybody is enrolled."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = UploadForm()
    if form.validate_on_submit():
        with refused_on(form):
            file = form.file.data
            waiting = sheet_import.receive(db(), offering, current_user.id, file.filename, file.read())
            return redirect(url_for("enrolment.preview", offering_id=offering_id, ref=waiting.ref))
    body = render_template("enrolment/upload.html", offering=offering, form=form, people=enrolment_sheet.PEOPLE)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.get("/import/template.<any(csv, xlsx):form>")
@requires(*STAFF)
def template(offering_id: int, form: str) -> ResponseReturnValue:
    """An empty spreadsheet with the headings."""
    fetch(db(), Offering, offering_id, scope())
    notes = [
        (_("Needed"), _("Name, and phone or ID number")),
        (_("Children under 14"), _("Guardian's name and phone as well")),
        (_("ID types"), "、".join(str(label) for _type, label in ID_TYPES)),
    ]
    sheet = enrolment_sheet.template(_("People to enrol"), notes, chinese=language() == "zh")
    return _file(sheet, Format(form), "enrolment")


@blueprint.get("/import/<ref>")
@requires(*STAFF)
def preview(offering_id: int, ref: str) -> ResponseReturnValue:
    """What each row of the spreadsheet would do."""
    waiting = sheet_import.find(db(), offering_id, ref, scope())
    return render_template(
        "enrolment/preview.html",
        offering=waiting.offering,
        waiting=waiting,
        preview=sheet_import.preview(db(), waiting),
        facts=dict(zip(enrolment_sheet.HEADINGS, enrolment_sheet.headings(chinese=language() == "zh"), strict=True)),
        form=ApplyForm(),
        mask_phone=mask_phone,
    )


@blueprint.get("/import/<ref>/rejected.<any(csv, xlsx):form>")
@requires(*STAFF)
def rejected(offering_id: int, ref: str, form: str) -> ResponseReturnValue:
    """The rows that do not go in, each with the reason, to be mended and sent again."""
    waiting = sheet_import.find(db(), offering_id, ref, scope())
    lines = sheet_import.preview(db(), waiting).rejected
    rows = [(line.number, _(line.problem.message, **line.problem.params), line.cells) for line in lines if line.problem]
    extra = (_("Row"), _("Why it cannot be imported"))
    sheet = enrolment_sheet.rejected(_("Rows that were not enrolled"), extra, rows, chinese=language() == "zh")
    return _file(sheet, Format(form), "rejected")


@blueprint.post("/import/<ref>/apply")
@requires(*STAFF)
def apply(offering_id: int, ref: str) -> ResponseReturnValue:
    """Enrol the good rows."""
    done = sheet_import.apply(db(), sheet_import.find(db(), offering_id, ref, scope()))
    flash(
        _(
            "%(enrolled)s enrolled, %(waitlisted)s on the waiting list, %(left_out)s left out.",
            enrolled=done.enrolled,
            waitlisted=done.waitlisted,
            left_out=done.left_out,
        )
    )
    return redirect(url_for("enrolment.index", offering_id=offering_id))


def _row(offering_id: int, enrolment_id: int) -> Enrolment:
    return listings.of_offering(db(), offering_id, enrolment_id, scope())


def _with_reason(
    template: str, offering_id: int, enrolment_id: int, rule: Callable[..., None], done: str
) -> ResponseReturnValue:
    row = _row(offering_id, enrolment_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with refused_on(form):
            rule(db(), row, form.reason.data)
            flash(done)
            return redirect(url_for("enrolment.index", offering_id=offering_id))
    places = enrolment.places_of(db(), row.offering)
    body = render_template(template, enrolment=row, offering=row.offering, form=form, places=places)
    return make_response(body, 422 if form.is_submitted() else 200)


def _desk(offering: Offering, *, form: DeskForm, found: AtTheDesk, search: SearchForm, people: object = None) -> str:
    return render_template(
        "enrolment/new.html",
        offering=offering,
        form=form,
        found=found,
        search=search,
        people=people,
        places=enrolment.places_of(db(), offering),
        mask_phone=mask_phone,
        searched=request.endpoint == "enrolment.find",
    )


def _enrolled(row: Enrolment) -> ResponseReturnValue:
    if row.state == EnrolmentState.WAITLISTED:
        flash(_("%(name)s is on the waiting list: the offering is full.", name=row.trainee.name), "warning")
    else:
        flash(_("%(name)s is enrolled.", name=row.trainee.name))
    return redirect(url_for("enrolment.index", offering_id=row.offering_id))


def _file(sheet: Sheet, form: Format, name: str) -> ResponseReturnValue:
    file = io.BytesIO()
    exports.write(sheet, form, file)
    headers = {"Content-Type": MEDIA_TYPES[form], "Content-Disposition": f"attachment; filename={name}.{form}"}
    return file.getvalue(), headers
