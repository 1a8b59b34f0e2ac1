"""Pages of requested trainings for administrators: the list, a request, and the decision on it."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.models.training_requests import RequestState, TrainingRequest
from courses.offerings import hosts, training_requests
from courses.offerings.forms.offerings import RequestAcceptForm, RequestDeclineForm, RequestFilterForm
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, fetch

blueprint = Blueprint("training_requests", __name__)

MAX_INLINE_SUGGESTIONS = 60  # on the page itself; where there are more, the page asks for them while the user types


@blueprint.get("/")
@requires(*ADMINISTRATORS)
def index() -> str:
    """The requests to the user's districts: those to decide first."""
    form = RequestFilterForm(request.args)
    form.validate()
    state = RequestState(form.state.data) if form.state.data in set(RequestState) else None
    listing = training_requests.listing(db(), scope(), state, request.args.get("page", 1, type=edge.page_number))
    return render_template("training_requests/index.html", form=form, listing=listing, states=RequestState)


@blueprint.get("/<int:request_id>")
@requires(*ADMINISTRATORS)
def page(request_id: int) -> ResponseReturnValue:
    """A request with its contact person, and the forms that accept or decline it."""
    training_request = fetch(db(), TrainingRequest, request_id, scope())
    form = RequestAcceptForm(data={"organisation": training_requests.suggest_host(db(), training_request, scope())})
    return _page(request_id, form, RequestDeclineForm())


@blueprint.post("/<int:request_id>/accept")
@requires(*ADMINISTRATORS)
def accept(request_id: int) -> ResponseReturnValue:
    """Make a draft offering of a request, and go to its form, where sessions and instructors are entered."""
    fetch(db(), TrainingRequest, request_id, scope())
    form = RequestAcceptForm()
    if form.validate_on_submit():
        with refused_on(form):
            offering = training_requests.accept(
                db(),
                request_id,
                scope(),
                host=form.organisation.data,
                new_host=form.sector(),
                zone=current_app.config["SETTINGS"].zone,
            )
            flash(_("Accepted. This is the draft: add days and instructors, then publish it."))
            return redirect(url_for("offerings.edit", offering_id=offering.id))
    return _page(request_id, form, RequestDeclineForm(formdata=None))


@blueprint.post("/<int:request_id>/decline")
@requires(*ADMINISTRATORS)
def decline(request_id: int) -> ResponseReturnValue:
    """Decline a request, with a reason."""
    fetch(db(), TrainingRequest, request_id, scope())
    form = RequestDeclineForm()
    if form.validate_on_submit():
        with refused_on(form):
            training_requests.decline(db(), request_id, scope(), form.reason.data, tell=not form.silent.data)
            flash(_("Declined.") if form.silent.data else _("Declined. Whoever asked is told the reason."))
            return redirect(url_for(".page", request_id=request_id))
    return _page(request_id, RequestAcceptForm(formdata=None), form)


def _page(request_id: int, accept_form: RequestAcceptForm, decline_form: RequestDeclineForm) -> ResponseReturnValue:
    host_labels = hosts.suggest(db(), scope(), limit=MAX_INLINE_SUGGESTIONS + 1)
    body = render_template(
        "training_requests/page.html",
        row=fetch(db(), TrainingRequest, request_id, scope()),
        accept_form=accept_form,
        decline_form=decline_form,
        host_labels=host_labels if len(host_labels) <= MAX_INLINE_SUGGESTIONS else None,
        states=RequestState,
    )
    return make_response(body, 422 if request.method == "POST" else 200)
