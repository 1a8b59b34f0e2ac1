"""The contacts of the own account: their state, proving, replacing and removing them."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import contact_checks, user_contacts
from lms.accounts.current import confirmed
from lms.accounts.forms import PROOFS, ButtonForm, MessagesForm, OwnEmailForm, OwnPhoneForm
from lms.core.access import reached_in_step
from lms.core.contacts import ContactKind
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.request_db import db

blueprint = Blueprint("contacts", __name__)

# Whoever has no proven contact yet reaches these pages and no other page of the account.
STEP = "contacts.page"


@blueprint.get("")
@reached_in_step(STEP)
def page() -> ResponseReturnValue:
    """Both contacts with their state, and changes that an administrator entered."""
    return _show(OwnPhoneForm(formdata=None), OwnEmailForm(formdata=None))


@blueprint.post("/<any(phone, email):kind>")
@reached_in_step(STEP)
@confirmed
def add(kind: str) -> ResponseReturnValue:
    """Send a code to a new contact, or to the present one that is not proven yet, and lead to where it is typed."""
    phone, email = OwnPhoneForm(), OwnEmailForm()
    form = phone if kind == ContactKind.PHONE else email
    if form.validate_on_submit():
        with refused_on(form):
            check = user_contacts.start_own(
                db(),
                current_user.user,
                ContactKind(kind),
                form[kind].data,
                language=language(),
                address=request.remote_addr or "",
            )
            return redirect(contact_checks.page_of(check))
    other = OwnEmailForm(formdata=None) if form is phone else OwnPhoneForm(formdata=None)
    return make_response(_show(phone, other) if form is phone else _show(other, email), 422)


@blueprint.post("/<any(phone, email):kind>/remove")
@reached_in_step(STEP)
@confirmed
def remove(kind: str) -> ResponseReturnValue:
    """Remove a contact; the last proven one stays."""
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            user_contacts.remove(db(), current_user.user, ContactKind(kind))
            flash(_("The contact is removed."))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("contacts.page"))


@blueprint.post("/<any(phone, email):kind>/code")
@reached_in_step(STEP)
def ask_for_code(kind: str) -> ResponseReturnValue:
    """Lead to where the code of an administrator's change is typed; a new code is sent if the last one is over."""
    check = next((row for row in user_contacts.pending(db(), current_user.user) if row.kind == kind), None)
    if check is None:
        return redirect(url_for("contacts.page"))
    if not contact_checks.code_lives(check):
        try:
            check = contact_checks.send_again(db(), contact_checks.ref_of(check), address=request.remote_addr)
        except DomainError as refusal:
            flash(message_of(refusal), "warning")
    return redirect(contact_checks.page_of(check))


@blueprint.post("/<any(phone, email):kind>/refuse")
@reached_in_step(STEP)
def refuse(kind: str) -> ResponseReturnValue:
    """Refuse a change that an administrator entered."""
    user_contacts.withdraw(db(), current_user.user, ContactKind(kind))
    flash(_("The change is refused. Your contact stays as it is."))
    return redirect(url_for("contacts.page"))


@blueprint.post("/messages")
@reached_in_step(STEP)
def prefer() -> ResponseReturnValue:
    """Choose the contact to which messages about the own trainings come first."""
    form = MessagesForm()
    if form.validate_on_submit():
        user_contacts.prefer(db(), current_user.user, ContactKind(form.messages_by.data))
        flash(_("Saved."))
    return redirect(url_for("contacts.page"))


def _show(phone: OwnPhoneForm, email: OwnEmailForm) -> str:
    user = current_user.user
    return render_template(
        "account/contacts.html",
        user=user,
        rows=[
            (kind, user_contacts.of(user, kind), user.is_proven(kind), proof, at, form)
            for kind, proof, at, form in (
                (ContactKind.PHONE, user.phone_proof, user.phone_proven_at, phone),
                (ContactKind.EMAIL, user.email_proof, user.email_proven_at, email),
            )
        ],
        proofs=PROOFS,
        removable={
            kind for kind in ContactKind if any(user.is_proven(other) for other in ContactKind if other != kind)
        },
        has_proven=user_contacts.has_proven(user),
        pending=[(check, contact_checks.masked(check)) for check in user_contacts.pending(db(), user)],
        button=ButtonForm(),
        messages=MessagesForm(formdata=None, messages_by=user.messages_by or ContactKind.EMAIL),
    )
