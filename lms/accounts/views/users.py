"""Accounts and their roles, for administrators."""

from collections.abc import Mapping

from flask import Blueprint, current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import contact_checks, password_links, places, roles, second_factors, user_contacts, users
from lms.accounts.current import confirmed
from lms.accounts.forms import (
    PROOFS,
    ROLES,
    GrantForm,
    NewUserForm,
    ReasonForm,
    ResetFactorForm,
    UserFilterForm,
    UserForm,
)
from lms.accounts.models import RoleGrant, User
from lms.accounts.password_links import site_of
from lms.accounts.places import GrantPlace
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts, UserFilter
from lms.core import clock, edge, file_answers
from lms.core.access import requires, scope
from lms.core.contacts import ContactKind
from lms.core.exports import Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import moment, named
from lms.core.list_addresses import order_of
from lms.core.masks import mask_email, mask_phone
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, Role, fetch
from lms.core.sealed_search import redirect_to_search

blueprint = Blueprint("users", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def index() -> ResponseReturnValue:
    """List the users whom this administrator manages."""
    if request.method == "POST":
        return redirect_to_search(UserFilterForm)
    form, filters = _filters()
    order = order_of(users.ORDERS)
    users_page = users.listing(db(), scope(), filters, request.args.get("page", 1, type=edge.page_number), order)
    grants = [grant for user in users_page.rows for grant in user.grants]
    return render_template(
        "users/index.html",
        users_page=users_page,
        order=order,
        form=form,
        roles=ROLES,
        places=places.of_grants(db(), grants),
        file_arguments={name: value for name, value in request.args.items() if name != "page"},
    )


@blueprint.get("/export.<any(csv, xlsx):form>")
@requires(*ADMINISTRATORS)
@confirmed
def export(form: str) -> ResponseReturnValue:
    """Send the users that match the filters of the page as a file, with masked contacts."""
    _form, filters = _filters()
    accounts = users.everything(db(), scope(), filters, order_of(users.ORDERS))
    place_by_grant = places.of_grants(db(), [grant for user in accounts for grant in user.grants])
    sheet = Sheet(
        title=_("Users"),
        headings=[_("Name"), _("E-mail address"), _("Phone"), _("Roles"), _("State"), _("Created")],
        rows=(
            [
                user.name,
                mask_email(user.email),
                mask_phone(user.phone),
                "；".join(_grant_text(grant, place_by_grant) for grant in user.grants),
                _("Disabled") if user.disabled_at else _("Active") if user.password_hash else _("Invited"),
                clock.day_of(user.created_at, current_app.config["SETTINGS"].zone),
            ]
            for user in accounts
        ),
        preamble=[(_("Created"), moment(clock.now())), (_("Created by"), current_user.name)],
        widths=(16, 28, 16, 40, 10, 12),
    )
    answer, rows = file_answers.of_sheet(sheet, Format(form), f"users-{clock.branch_today():%Y%m%d}")
    users.record_export(db(), filters, form, rows)
    return answer


def _filters() -> tuple[UserFilterForm, UserFilter]:
    form = UserFilterForm(request.args)
    form.validate()
    filters = UserFilter(
        text=form.text.data,
        role=Role(form.role.data) if form.role.data in set(Role) else None,
        disabled=form.state.data == "disabled",
    )
    return form, filters


def _grant_text(grant: RoleGrant, place_by_grant: Mapping[tuple[int | None, int | None], GrantPlace]) -> str:
    place = place_by_grant.get((grant.district_id, grant.organisation_id))
    role = str(ROLES[grant.role])
    return role if place is None else f"{role} · {named(place)}"


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def new() -> ResponseReturnValue:
    """Create an account. Its owner is invited by mail, or the link is shown once, to be handed over."""
    form = NewUserForm(organisation=request.args.get("organisation"), role=request.args.get("role"))
    _offer(form)
    if form.validate_on_submit():
        with refused_on(form):
            account = users.create(
                db(), _facts(form), [_grant_facts(form)], scope(), site_of(current_app.config["SETTINGS"])
            )
            if account.address is not None:
                return render_template("users/link.html", user=account.user, address=account.address)
            flash(_("The account is created, and an invitation is on its way by mail."))
            return redirect(url_for("users.page", user_id=account.user.id))
    return make_response(render_template("users/new.html", form=form), 422 if form.is_submitted() else 200)


@blueprint.get("/<int:user_id>")
@requires(*ADMINISTRATORS)
def page(user_id: int) -> ResponseReturnValue:
    """An account's page: contacts, roles and state."""
    form = GrantForm()
    _offer(form)
    return _show(_user(user_id), form)


@blueprint.route("/<int:user_id>/edit", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def edit(user_id: int) -> ResponseReturnValue:
    """Change a user's name and language. A new contact takes effect when the owner proves it."""
    user = _managed(user_id)
    form = UserForm(obj=user)
    if form.validate_on_submit():
        with refused_on(form):
            if users.change(db(), user, _facts(form)):
                flash(_("Saved. The new contact takes effect when the owner confirms it there."))
            else:
                flash(_("Saved."))
            return redirect(url_for("users.page", user_id=user.id))
    return make_response(render_template("users/edit.html", form=form, user=user), 422 if form.is_submitted() else 200)


@blueprint.post("/<int:user_id>/grants")
@requires(*ADMINISTRATORS)
@confirmed
def grant(user_id: int) -> ResponseReturnValue:
    """Grant one more role."""
    user = _user(user_id)
    form = GrantForm()
    _offer(form)
    if form.validate_on_submit():
        with refused_on(form):
            roles.grant(db(), user, _grant_facts(form), scope())
            flash(_("The role is granted."))
            return redirect(url_for("users.page", user_id=user.id))
    return make_response(_show(_user(user_id), form), 422)


@blueprint.post("/<int:user_id>/grants/<int:grant_id>/withdraw")
@requires(*ADMINISTRATORS)
@confirmed
def withdraw(user_id: int, grant_id: int) -> ResponseReturnValue:
    """Withdraw a role."""
    roles.withdraw(db(), _user(user_id), grant_id, scope())
    flash(_("The role is withdrawn."))
    return redirect(url_for("users.page", user_id=user_id))


@blueprint.route("/<int:user_id>/disable", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def disable(user_id: int) -> ResponseReturnValue:
    """Disable an account, with a reason. It is signed out everywhere at once."""
    user = _managed(user_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with refused_on(form):
            users.disable(db(), user, form.reason.data)
            flash(_("The account is disabled and signed out everywhere."))
            return redirect(url_for("users.page", user_id=user.id))
    return make_response(
        render_template("users/disable.html", form=form, user=user), 422 if form.is_submitted() else 200
    )


@blueprint.route("/<int:user_id>/second-factor", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    """Remove the second factor of a person who lost it and was recognised, with a reason."""
    user = _managed(user_id)
    form = ResetFactorForm()
    if form.validate_on_submit():
        with refused_on(form):
            second_factors.reset(db(), user, form.reason.data)
            flash(_("The second factor is removed, and the account is signed out everywhere."))
            return redirect(url_for("users.page", user_id=user.id))
    return make_response(
        render_template("users/reset_second_factor.html", form=form, user=user), 422 if form.is_submitted() else 200
    )


@blueprint.post("/<int:user_id>/enable")
@requires(*ADMINISTRATORS)
@confirmed
def enable(user_id: int) -> ResponseReturnValue:
    """Enable a disabled account."""
    users.enable(db(), _managed(user_id))
    flash(_("The account is enabled."))
    return redirect(url_for("users.page", user_id=user_id))


@blueprint.post("/<int:user_id>/invite")
@requires(*ADMINISTRATORS)
@confirmed
def invite(user_id: int) -> ResponseReturnValue:
    """Send a password link to a proven contact, or show it once for a new account without an e-mail address."""
    user = _managed(user_id)
    address = password_links.invite(db(), user, site_of(current_app.config["SETTINGS"]))
    if address is not None:
        return render_template("users/link.html", user=user, address=address)
    flash(_("A link is on its way. It works once, within three days."))
    return redirect(url_for("users.page", user_id=user_id))


@blueprint.post("/<int:user_id>/contacts/<any(phone, email):kind>/withdraw")
@requires(*ADMINISTRATORS)
@confirmed
def withdraw_contact(user_id: int, kind: str) -> ResponseReturnValue:
    """Withdraw a change of a contact that the owner has not proven yet."""
    user_contacts.withdraw(db(), _managed(user_id), ContactKind(kind))
    flash(_("The change is withdrawn."))
    return redirect(url_for("users.page", user_id=user_id))


@blueprint.get("/organisation-names")
@requires(*ADMINISTRATORS)
def organisation_names() -> ResponseReturnValue:
    """Suggest organisations whose names contain the typed text, for the field of a coordinator's organisation."""
    text = request.args.get("text", "").strip()
    suggestions = places.suggest(db(), text, scope()) if text else []
    return jsonify([named(place) for place in suggestions])


def _user(user_id: int) -> User:
    return fetch(db(), User, user_id, scope())


def _managed(user_id: int) -> User:
    """A user whose name, contacts, password and state this administrator may change; Denied for one who is only seen."""
    user = _user(user_id)
    users.demand_manageable(db(), user, scope())
    return user


def _offer(form: GrantForm) -> None:
    reach = scope()
    form.role.choices = choices((role.value, ROLES[role]) for role in ROLES if role in roles.grantable(reach))
    districts = [(place.id, named(place)) for place in places.districts(db(), reach)]
    form.district.choices = choices(districts if len(districts) == 1 else [(0, "—"), *districts])


def _facts(form: UserForm) -> UserFacts:
    return UserFacts(form.name.data, form.email.data, form.phone.data, form.language.data)


def _grant_facts(form: GrantForm) -> GrantFacts:
    """The role that the form asks for. A district or organisation that does not belong to the role is left out."""
    role = Role(form.role.data)
    return GrantFacts(
        role,
        district_id=form.district.data if role is Role.DISTRICT_ADMINISTRATOR else None,
        organisation_id=(
            places.organisation_named(db(), form.organisation.data or "", scope()) if role is Role.COORDINATOR else None
        ),
    )


def _show(user: User, form: GrantForm) -> str:
    reach = scope()
    return render_template(
        "users/page.html",
        user=user,
        form=form,
        roles=ROLES,
        places=places.of_grants(db(), user.grants),
        manageable=users.is_manageable(db(), user, reach),
        within={grant.id for grant in user.grants if roles.is_within(db(), grant, reach)},
        untouched=user_contacts.is_untouched(user),
        has_proven=user_contacts.has_proven(user),
        pending=[(check, contact_checks.masked(check)) for check in user_contacts.pending(db(), user)],
        proofs=PROOFS,
        masked=lambda kind, contact: user_contacts.masked(ContactKind(kind), contact),
    )
