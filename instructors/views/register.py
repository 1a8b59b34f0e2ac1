"""Pages of the register of instructors, for administrators and auditors."""

from collections.abc import Mapping
from typing import Any

import qrcode
from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from qrcode.image.svg import SvgPathImage

from instructors import invitations, programmes, qualifications, register
from instructors.forms import (
    LEVELS,
    EndForm,
    InstructorChangeForm,
    InstructorFilterForm,
    InstructorForm,
    QualificationForm,
)
from instructors.models import Instructor, Level
from instructors.programmes import ProgrammeName
from instructors.register import EXPIRING_WITHIN, InstructorFacts, InstructorFilter, Validity
from lms.accounts.current import confirmed
from lms.accounts.forms import ButtonForm
from lms.accounts.password_links import site_of
from lms.core import clock, edge, file_answers
from lms.core.access import holds, requires, scope
from lms.core.exports import Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import moment, named
from lms.core.list_addresses import order_of
from lms.core.masks import mask_email, mask_phone
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, fetch
from lms.organisations import districts

blueprint = Blueprint("instructors", __name__)


@blueprint.get("/")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """Show the instructors of the user's districts, and until when they may teach what."""
    names = programmes.all_by_code(db())
    form, filters = _filters(names)
    order = order_of(register.ORDERS)
    page_number = request.args.get("page", 1, type=edge.page_number)
    listing = register.listing(db(), scope(), filters, _today(), page_number, order=order)
    return render_template(
        "instructors/index.html",
        listing=listing,
        form=form,
        order=order,
        may_change=holds(*ADMINISTRATORS),
        programmes=names,
        file_arguments={name: value for name, value in request.args.items() if name != "page"},
        **_common_values(),
    )


@blueprint.get("/export.<any(csv, xlsx):form>")
@requires(*READERS)
@confirmed
def export(form: str) -> ResponseReturnValue:
    """Send the instructors that match the filters of the page as a file, with masked contacts."""
    names = programmes.all_by_code(db())
    _form, filters = _filters(names)
    instructors, last_days = register.everything(db(), scope(), filters, _today(), order_of(register.ORDERS))
    sheet = Sheet(
        title=_("Instructors"),
        headings=[
            _("Name"), _("Registration number"), _("Level"), _("District"), _("Phone"), _("E-mail address"), _("Account"),
            _("On the register"), *(_("%(programme)s until", programme=named(row)) for row in names.values()),
        ],
        rows=(
            [
                row.name, row.registration_number, str(LEVELS[Level(row.level)]), named(row.district),
                mask_phone(row.phone), mask_email(row.email), _("yes") if row.user_id else _("no"),
                _("yes") if row.active else _("no"), *(last_days.get((row.id, code)) for code in names),
            ]
            for row in instructors
        ),
        preamble=[(_("Created"), moment(clock.now())), (_("Created by"), current_user.name)],
        widths=(16, 18, 12, 14, 16, 26, 10, 12),
    )  # fmt: skip
    answer, rows = file_answers.of_sheet(sheet, Format(form), f"instructors-{_today():%Y%m%d}")
    register.record_export(db(), filters, form, rows)
    return answer


def _filters(names: Mapping[str, ProgrammeName]) -> tuple[InstructorFilterForm, InstructorFilter]:
    form = InstructorFilterForm(request.args)
    form.district.choices = choices([("", _("All districts")), *_districts()])
    form.programme.choices = choices([("", _("All programmes")), *((code, named(row)) for code, row in names.items())])
    form.validate()
    filters = InstructorFilter(
        text=form.text.data,
        district_id=form.district.data,
        programme_code=form.programme.data or None,
        validity=Validity(form.validity.data) if form.validity.data in set(Validity) else None,
        active=form.state.data != "left",
    )
    return form, filters


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def new() -> ResponseReturnValue:
    """Add an instructor to the register."""
    form = InstructorForm()
    form.district_id.choices = choices(_districts())
    if form.validate_on_submit():
        with refused_on(form):
            instructor = register.enlist(db(), _facts(form), scope())
            flash(_("The instructor is registered."))
            return redirect(url_for("instructors.page", instructor_id=instructor.id))
    return make_response(render_template("instructors/new.html", form=form), 422 if form.is_submitted() else 200)


@blueprint.get("/<int:instructor_id>")
@requires(*READERS)
def page(instructor_id: int) -> ResponseReturnValue:
    """Show one instructor: qualifications and account."""
    instructor = _instructor(instructor_id)
    return _render_page(instructor, QualificationForm())


@blueprint.route("/<int:instructor_id>/edit", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def edit(instructor_id: int) -> ResponseReturnValue:
    """Change an instructor's facts, or take the instructor off the register."""
    instructor = _instructor(instructor_id)
    form = InstructorChangeForm(obj=instructor)
    form.district_id.choices = choices(_districts())
    if form.validate_on_submit():
        with refused_on(form):
            register.change(db(), instructor, _facts(form), form.active.data, scope())
            flash(_("Saved."))
            return redirect(url_for("instructors.page", instructor_id=instructor.id))
    return make_response(
        render_template("instructors/edit.html", form=form, instructor=instructor), 422 if form.is_submitted() else 200
    )


@blueprint.post("/<int:instructor_id>/qualifications")
@requires(*ADMINISTRATORS)
def add_qualification(instructor_id: int) -> ResponseReturnValue:
    """Let an instructor teach a programme for a time."""
    instructor = _instructor(instructor_id)
    form = QualificationForm()
    _set_programme_choices(form)
    if form.validate_on_submit():
        with refused_on(form):
            qualifications.add(
                db(),
                instructor,
                programme_code=form.programme.data,
                valid_from=form.valid_from.data,
                valid_until=form.valid_until.data,
            )
            flash(_("The qualification is added."))
            return redirect(url_for("instructors.page", instructor_id=instructor.id))
    return make_response(_render_page(_instructor(instructor_id), form), 422)


@blueprint.route("/<int:instructor_id>/qualifications/<int:qualification_id>/end", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def end_qualification(instructor_id: int, qualification_id: int) -> ResponseReturnValue:
    """End a qualification early, with a reason."""
    instructor = _instructor(instructor_id)
    qualification = qualifications.of_instructor(instructor, qualification_id)
    form = EndForm(last_day=_today())
    if form.validate_on_submit():
        with refused_on(form):
            qualifications.end(db(), instructor, qualification_id, last_day=form.last_day.data, reason=form.reason.data)
            flash(_("The qualification is ended."))
            return redirect(url_for("instructors.page", instructor_id=instructor.id))
    return make_response(
        render_template(
            "instructors/end.html",
            form=form,
            instructor=instructor,
            qualification=qualification,
            programmes=programmes.all_by_code(db()),
            **_common_values(),
        ),
        422 if form.is_submitted() else 200,
    )


@blueprint.post("/<int:instructor_id>/invitation")
@requires(*ADMINISTRATORS)
@confirmed
def invite(instructor_id: int) -> ResponseReturnValue:
    """Invite an instructor at the register's e-mail address or phone."""
    instructor = _instructor(instructor_id)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            invitations.send(db(), instructor, site_of(current_app.config["SETTINGS"]))
            flash(_("The invitation is on its way. It can be accepted within three days."))
    _flash_refusals(form)
    return redirect(url_for("instructors.page", instructor_id=instructor_id))


@blueprint.post("/<int:instructor_id>/invitation/in-person")
@requires(*ADMINISTRATORS)
@confirmed
def invite_in_person(instructor_id: int) -> ResponseReturnValue:
    """Show an invitation once, as a link and a QR code, to an instructor who is present."""
    instructor = _instructor(instructor_id)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            address = invitations.hand_over(db(), instructor, site_of(current_app.config["SETTINGS"]))
            code = Markup(qrcode.make(address, image_factory=SvgPathImage).to_string(encoding="unicode"))  # noqa: S704
            return render_template("instructors/link.html", instructor=instructor, address=address, code=code)
    _flash_refusals(form)
    return redirect(url_for("instructors.page", instructor_id=instructor_id))


@blueprint.post("/<int:instructor_id>/invitation/withdraw")
@requires(*ADMINISTRATORS)
def withdraw_invitation(instructor_id: int) -> ResponseReturnValue:
    """Withdraw an invitation that nobody has accepted yet."""
    invitations.withdraw(db(), _instructor(instructor_id))
    flash(_("The invitation is withdrawn."))
    return redirect(url_for("instructors.page", instructor_id=instructor_id))


def _flash_refusals(form: ButtonForm) -> None:
    for message in form.form_errors:
        flash(message, "warning")


def _instructor(instructor_id: int) -> Instructor:
    return fetch(db(), Instructor, instructor_id, scope())


def _today() -> Any:
    return clock.today(current_app.config["SETTINGS"].zone)


def _districts() -> list[tuple[Any, str]]:
    return [(district.id, named(district)) for district in districts.administered(db(), scope())]


def _set_programme_choices(form: QualificationForm) -> None:
    form.programme.choices = choices((code, named(row)) for code, row in programmes.all_by_code(db()).items())


def _common_values() -> dict[str, Any]:
    return {
        "levels": LEVELS,
        "today": _today(),
        "soon": _today() + EXPIRING_WITHIN,
    }


def _facts(form: InstructorForm) -> InstructorFacts:
    return InstructorFacts(
        form.name.data,
        form.registration_number.data,
        form.district_id.data,
        Level(form.level.data),
        form.phone.data,
        form.email.data,
    )


def _render_page(instructor: Instructor, qualification: QualificationForm) -> str:
    _set_programme_choices(qualification)
    return render_template(
        "instructors/page.html",
        instructor=instructor,
        qualification=qualification,
        invitation=invitations.pending(db(), instructor),
        may_change=holds(*ADMINISTRATORS),
        programmes=programmes.all_by_code(db()),
        **_common_values(),
    )
