"""One trainee's results: entered while the offering runs, corrected with a reason once it is closed.

Both happen at one address of the blueprint `assessment`; the list of the offering is in `courses.assessment.views.assessment`.
"""

from collections.abc import Mapping, Sequence

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.assessment import assessment, late_results, marking
from courses.assessment.forms import NOT_YET, PASSED, ResultForm, skills_in
from courses.assessment.late_results import Late
from courses.assessment.marking import Marks
from courses.assessment.views.assessment import EXAMINERS, blueprint, may_enter, skills_of
from courses.closing import correction
from courses.closing.views.sessions import tell
from courses.models.assessment import Assessment
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.web import db, refused_on


@blueprint.route("/<int:enrolment_id>", methods=["GET", "POST"])
@requires(*EXAMINERS)
def trainee(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """One trainee: the latest attempt, or with `retest=1` a new one."""
    offering = offerings.page(db(), offering_id, scope())
    enrolment = assessment.enrolment_in(db(), offering_id, enrolment_id, scope())
    attempts = assessment.attempts_of(db(), enrolment.id)
    retest = request.args.get("retest") == "1" and bool(attempts)
    shown = attempts[-1] if attempts and not retest else None
    skills = skills_of(offering)
    form = _form(offering, shown)
    late = [one for one in late_results.waiting(db(), offering.id) if one.enrolment_id == enrolment.id]
    marked = _marked(shown, late if offering.state == OfferingState.CLOSED else [])
    if form.is_submitted():
        marked = skills_in(request.form, [skill.id for skill in skills])
    if form.validate_on_submit():
        with refused_on(form):
            _save(enrolment, offering, form, form.marks(marked), retest=retest)
            return _onward(offering, enrolment)
    if form.is_submitted():
        attempts = assessment.attempts_of(db(), enrolment.id)
        marked = _after(form, marked, attempts[-1] if attempts and not retest else None)
    form.seen.data = assessment.version(attempts, len(late))
    content = render_template(
        "assessment/trainee.html", offering=offering, enrolment=enrolment, attempts=attempts, form=form, retest=retest,
        skills=skills, marked=marked, late=late, PASSED=PASSED, NOT_YET=NOT_YET,
        teaching={person.id for person in assessment.teachers(db(), offering.id)},
        closed=offering.state == OfferingState.CLOSED, may_enter=may_enter(offering),
    )  # fmt: skip
    return make_response(content, 422 if form.is_submitted() else 200)


def _form(offering: Offering, shown: Assessment | None) -> ResultForm:
    zone = current_app.config["SETTINGS"].zone
    last = max((row.starts_at for row in offering.sessions), default=clock.now())
    people = assessment.examiners(db(), offering, clock.day_of(last, zone))
    own = assessment.instructor_of(db(), current_user.id)
    if own is not None and own.id not in {person.id for person in people}:
        people = [own, *people]
    if shown is not None and shown.examiner is not None and shown.examiner_id not in {person.id for person in people}:
        people = [shown.examiner, *people]
    form = ResultForm(
        theory_score=shown.theory_score if shown else None,
        examiner=(shown.examiner_id if shown else None) or (own.id if own else 0),
        note=shown.note if shown else None,
    )
    form.offer(people)
    return form


def _marked(shown: Assessment | None, late: Sequence[Late]) -> dict[int, bool]:
    """The skills as the form shows them first; late results are filled in, to be saved with a reason or changed."""
    return {**assessment.marks_of(shown).skills, **{one.skill.id: one.passed for one in late}}


def _after(form: ResultForm, marked: Mapping[int, bool], there: Assessment | None) -> dict[int, bool]:
    """What a form that was not saved shows again: what was changed on it, beside what others saved meanwhile."""
    shown = marking.shown(form.seen.data or "", form.marks(marked), assessment.marks_of(there))
    if not form.theory_score.errors:
        form.theory_score.data = shown.theory_score
    if not form.note.errors:
        form.note.data = shown.note
    return dict(shown.skills)


def _save(enrolment: Enrolment, offering: Offering, form: ResultForm, marks: Marks, *, retest: bool) -> None:
    seen = form.seen.data or ""
    if offering.state == OfferingState.CLOSED:
        zone = current_app.config["SETTINGS"].zone
        done = correction.of_result(
            db(), enrolment, marks, seen=seen, retest=retest, reason=form.reason.data or "", scope=scope(),
            now=clock.now(), zone=zone,
        )  # fmt: skip
        tell(done)
        return
    assessment.save(db(), enrolment, marks, seen=seen, retest=retest)
    flash(_("Results of %(name)s are saved.", name=enrolment.trainee.name))


def _onward(offering: Offering, enrolment: Enrolment) -> ResponseReturnValue:
    if "next" in request.form:
        following = assessment.next_without(db(), offering.id, enrolment.id)
        if following is not None:
            return redirect(url_for(".trainee", offering_id=offering.id, enrolment_id=following))
    return redirect(url_for(".page", offering_id=offering.id, _anchor=f"person-{enrolment.id}"))
