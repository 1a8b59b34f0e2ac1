"""Pages of merging: pairs that may be one person, the other record of a person, two records side by side, and the undo."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import labels, listings, merged_records, trainee_search, trainee_sections, trainees_rights
from courses.merging import enrolments, facts, merging, pairs
from courses.merging.facts import FACTS
from courses.merging.forms import MergeForm, OtherRecordForm, PairForm
from courses.merging.merging import Obstacle
from courses.models.trainees import Trainee
from lms.accounts.current import confirmed
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.error_pages import message_of
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.forms import Form
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, fetch

blueprint = Blueprint("merging", __name__)

FACT_LABELS = {
    "name": N_("Name"),
    "phone": N_("Mobile phone"),
    "email": N_("E-mail"),
    "birth_year": N_("Year of birth"),
    "id_number": N_("ID number"),
    "guardian": N_("Guardian"),
}
_PAGES = {
    "offering": ("enrolment.index", "offering_id", N_("Open the class")),
    "proposal": ("proposals.page", "proposal_id", N_("Open the proposed change")),
    "erasure": ("personal_data.page", "trainee_id", N_("Open the request")),
}


@blueprint.get("/merging")
@requires(*ADMINISTRATORS)
def index() -> ResponseReturnValue:
    """The pairs of records that may be of one person, or those that somebody told apart."""
    apart = request.args.get("apart") == "yes"
    listing = pairs.listing(db(), scope(), request.args.get("page", 1, type=edge.page_number), apart=apart)
    return render_template(
        "merging/index.html", listing=listing, apart=apart, reasons=pairs.REASONS, mask_phone=mask_phone
    )


@blueprint.post("/merging/apart")
@requires(*ADMINISTRATORS)
def tell_apart() -> ResponseReturnValue:
    """Remember that two records are of two people, or take that back."""
    form = PairForm()
    if not form.validate_on_submit() or form.first_id.data is None or form.second_id.data is None:
        flash(_("Choose a pair of the list."), "warning")
        return redirect(url_for("merging.index"))
    apart = form.apart.data == "yes"
    pairs.set_apart(db(), form.first_id.data, form.second_id.data, scope(), apart=apart)
    flash(_("Noted: these are two people.") if apart else _("Taken back: the pair is in the list again."))
    return redirect(url_for("merging.index", apart=None if apart else "yes"))


@blueprint.route("/<int:trainee_id>/merging", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def choose(trainee_id: int) -> ResponseReturnValue:
    """The other record of a person: those that the search at night found, and a search by hand."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = OtherRecordForm()
    rows: list[Trainee] = []
    if form.validate_on_submit():
        listing = trainee_search.search(db(), form.words.data or "", scope())
        rows = [row for row in listing.rows if row.id != trainee.id]
    body = render_template(
        "merging/choose.html",
        trainee=trainee,
        form=form,
        rows=rows,
        searched=form.is_submitted() and not form.errors,
        legible=trainees_rights.legible_ids(db(), [row.id for row in rows], scope()),
        pairs=pairs.of_person(db(), trainee, scope()),
        reasons=pairs.REASONS,
        mask_phone=mask_phone,
    )
    return make_response(body, 422 if form.errors else 200)


@blueprint.route("/<int:trainee_id>/merging/<int:other_id>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def merge(trainee_id: int, other_id: int) -> ResponseReturnValue:
    """Two records side by side: what wins, what follows in numbers, and the merge. The first record is the one that is kept."""
    if merged_records.kept_id(db(), other_id) == trainee_id:  # tapped twice
        return redirect(url_for("trainees.page", trainee_id=fetch(db(), Trainee, trainee_id, scope()).id))
    kept, merged = merging.fetch_pair(db(), trainee_id, other_id, scope())
    form = MergeForm()
    if form.validate_on_submit():
        with refused_on(form):
            merging.merge(
                db(),
                kept.id,
                merged.id,
                form.chosen(),
                scope(),
                name=form.confirmation.data or "",
                reason=form.reason.data,
            )
            flash(_("The two records are one now. Everything of the other record is here."))
            return redirect(url_for("trainees.page", trainee_id=kept.id))
        db().expire_all()
    sides = facts.side_by_side(kept, merged)
    for fact in sides:
        field = form[f"side_{fact.name}"]
        field.data = field.data if form.is_submitted() and field.data else fact.winner.value
    preview = merging.preview(db(), kept, merged)
    body = render_template(
        "merging/merge.html",
        kept=kept,
        merged=merged,
        form=form,
        sides=sides,
        fact_labels=FACT_LABELS,
        preview=preview,
        obstacles=[(obstacle, _page_of(obstacle)) for obstacle in preview.obstacles],
        advised=merging.keep_first(db(), kept, merged),
        enrolments={row.id: listings.list_of_trainee(db(), row.id, scope()) for row in (kept, merged)},
        sections={row.id: trainee_sections.facts(db(), row, scope()) for row in (kept, merged)},
        states=labels.STATES,
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.route("/merging/<int:merge_id>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
@confirmed
def undo(merge_id: int) -> ResponseReturnValue:
    """A merge: what an undo gives back and what stays; and the undo."""
    row = merging.fetch_merge(db(), merge_id, scope())
    trainees_rights.demand_change(db(), row.kept, scope())
    form = Form()
    if form.validate_on_submit():
        with refused_on(form):
            changed = merging.undo(db(), merge_id, scope())
            flash(_("The merge is undone: there are two records again."))
            if changed:
                names = ", ".join(_(FACT_LABELS[name]) for name in FACTS if name in changed)
                flash(_("Changed since the merge, so it stays with this record: %(facts)s", facts=names), "warning")
            return redirect(url_for("trainees.page", trainee_id=row.kept_id))
    refusal = None
    try:
        merging.refuse_undo(db(), row)
    except DomainError as error:
        refusal = message_of(error)
    back, home = enrolments.noted(db(), row) if refusal is None else ([], [])
    body = render_template(
        "merging/undo.html",
        merge=row,
        form=form,
        refusal=refusal,
        back=len(back) + len(home),
        new=enrolments.count_new(db(), row),
    )
    return make_response(body, 422 if form.is_submitted() else 200)


def _page_of(obstacle: Obstacle) -> tuple[str, str] | None:
    """The address of the page on which an obstacle is removed, with the text of the link."""
    noun, _colon, key = (obstacle.subject or "").partition(":")
    if noun not in _PAGES:
        return None
    endpoint, argument, text = _PAGES[noun]
    values: dict[str, Any] = {argument: int(key)}
    return url_for(endpoint, **values), _(text)
