"""Pages of proposed changes of people: the list, a proposal, and the decision on it."""

from collections.abc import Callable

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import labels, listings, proposals
from courses.enrolment.forms.trainees import ProposalAnswerForm
from courses.models.proposals import Proposal
from lms.accounts import contact_checks
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import STAFF, STAFF_READERS

blueprint = Blueprint("proposals", __name__)


@blueprint.get("/")
@requires(*STAFF_READERS)
def index() -> ResponseReturnValue:
    """The proposals that the user made or may see, the open ones first; with `?waiting=1` those that the user decides."""
    waiting = request.args.get("waiting") == "1"
    page = request.args.get("page", 1, type=edge.page_number)
    return render_template(
        "proposals/index.html",
        listing=proposals.listing(db(), scope(), page, to_decide=waiting),
        waiting=waiting,
        to_decide=proposals.count_to_decide(db(), scope()),
        states=labels.PROPOSAL_STATES,
    )


@blueprint.get("/<int:proposal_id>")
@requires(*STAFF_READERS)
def page(proposal_id: int) -> ResponseReturnValue:
    """A proposal: the facts as they are and as proposed, masked and side by side, and the buttons to decide."""
    return _render_page(proposal_id, ProposalAnswerForm())


@blueprint.post("/<int:proposal_id>/accept")
@requires(*STAFF)
def accept(proposal_id: int) -> ResponseReturnValue:
    """Change the record as proposed."""
    return _decide(proposal_id, lambda form: proposals.accept(db(), proposal_id, scope(), answer=form.answer.data))


@blueprint.post("/<int:proposal_id>/refuse")
@requires(*STAFF)
def refuse(proposal_id: int) -> ResponseReturnValue:
    """Leave the record as it is, with an answer to whoever proposed the change."""
    return _decide(proposal_id, lambda form: proposals.refuse(db(), proposal_id, scope(), answer=form.answer.data))


@blueprint.post("/<int:proposal_id>/withdraw")
@requires(*STAFF)
def withdraw(proposal_id: int) -> ResponseReturnValue:
    """Take back an own proposal."""
    return _decide(proposal_id, lambda _form: proposals.withdraw(db(), proposal_id, scope()))


@blueprint.post("/<int:proposal_id>/code")
@requires(*STAFF)
def send_code(proposal_id: int) -> ResponseReturnValue:
    """Send the person a code that accepts the proposal, and go to the page where the code is typed."""
    check = proposals.send_code(db(), proposal_id, scope(), language="zh", address=request.remote_addr)
    return redirect(contact_checks.page_of(check))


def _decide(proposal_id: int, rule: Callable[[ProposalAnswerForm], Proposal]) -> ResponseReturnValue:
    proposals.get(db(), proposal_id, scope())
    form = ProposalAnswerForm()
    if form.validate_on_submit():
        with refused_on(form):
            state = labels.PROPOSAL_STATES[rule(form).state][0]
            flash(_("Proposed change: %(state)s", state=_(state)))
            return redirect(url_for("proposals.page", proposal_id=proposal_id))
    return make_response(_render_page(proposal_id, form), 422)


def _render_page(proposal_id: int, form: ProposalAnswerForm) -> str:
    view = proposals.get(db(), proposal_id, scope())
    trainee_id = view.proposal.trainee_id
    return render_template(
        "proposals/page.html",
        view=view,
        sees_person=proposals.sees_person(db(), view.proposal, scope()),
        enrolments=listings.list_of_trainee(db(), trainee_id, scope()),
        states=labels.PROPOSAL_STATES,
        enrolment_states=labels.STATES,
        form=form,
    )
