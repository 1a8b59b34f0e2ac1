"""The page of one trainee's results: entered while the offering is open, corrected with a reason once it is closed.

The page belongs to the blueprint `assessment`, whose list of an offering is in `courses.assessment.views.assessment`.
The view stands here because it calls `courses.closing.correction`, and the assessment may not import the closing.
"""

from collections.abc import Mapping, Sequence

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.assessment import assessment, late_results, marking
from courses.assessment.forms import NOT_YET, PASSED, ResultForm, skills_in
from courses.assessment.late_results import LateResult
from courses.assessment.marking import Marks
from courses.assessment.views.assessment import active_skills, blueprint, examiner_choices, may_enter
from courses.closing import correction
from courses.closing.views.sessions import flash_correction
from courses.counting import person_time
from courses.enrolment import namesakes
from courses.models.assessment import Assessment
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import EXAMINERS


@blueprint.route("/<int:enrolment_id>", methods=["GET", "POST"])
@requires(*EXAMINERS)
def trainee(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show and save the results of one trainee: of the latest attempt, or with `?retest=1` of a new one."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    enrolment = assessment.enrolment_in(db(), offering_id, enrolment_id, scope())
    attempts = assessment.attempts_of(db(), enrolment.id)
    late = [result for result in late_results.waiting(db(), offering.id) if result.enrolment_id == enrolment.id]
    closed = offering.state == OfferingState.CLOSED
    # Late results of a retest are filled into a new attempt.
    late_retest = closed and any(result.is_retest for result in late)
    retest = (request.args.get("retest") == "1" or late_retest) and bool(attempts)
    attempt = _edited_attempt(attempts, retest=retest)
    skills = active_skills(offering)
    form = _form(offering, attempt, late if closed else [])
    marked = _initial_skills(attempt, late if closed else [])
    if form.is_submitted():
        marked = skills_in(request.form, [skill.id for skill in skills])
    if form.validate_on_submit():
        with refused_on(form):
            _save(enrolment, offering, form, form.marks(marked), retest=retest)
            return _next_page(offering, enrolment)
    if form.is_submitted():
        attempts = assessment.attempts_of(db(), enrolment.id)
        marked = _refill(form, marked, _edited_attempt(attempts, retest=retest))
    form.seen.data = assessment.form_version(attempts, len(late))
    content = render_template(
        "assessment/trainee.html", offering=offering, enrolment=enrolment, attempts=attempts, form=form, retest=retest,
        skills=skills, marked=marked, late=late, PASSED=PASSED, NOT_YET=NOT_YET,
        teaching={person.id for person in assessment.teachers(db(), offering.id)},
        frozen=person_time.frozen_quarter(db(), offering.id) if closed else None,
        closed=closed, may_enter=may_enter(offering), told_name=namesakes.told_name(db(), enrolment),
    )  # fmt: skip
    return make_response(content, 422 if form.is_submitted() else 200)


def _edited_attempt(attempts: Sequence[Assessment], *, retest: bool) -> Assessment | None:
    return attempts[-1] if attempts and not retest else None


def _form(offering: Offering, attempt: Assessment | None, late: Sequence[LateResult]) -> ResultForm:
    """The form filled with an attempt; the reader and the attempt's examiner can always be chosen as examiner."""
    people, reader = examiner_choices(offering)
    examiner = attempt.examiner if attempt is not None else None
    if examiner is not None and examiner.id not in {listed.id for listed in people}:
        people = [examiner, *people]
    late_scores = [result.score for result in late if result.score is not None]
    form = ResultForm(
        theory_score=late_scores[-1] if late_scores else attempt.theory_score if attempt else None,
        examiner=(attempt.examiner_id if attempt else None) or (reader.id if reader else 0),
        note=attempt.note if attempt else None,
    )
    form.offer(people)
    return form


def _initial_skills(attempt: Assessment | None, late: Sequence[LateResult]) -> dict[int, bool]:
    """The skills (id → passed) that an unsent form shows: late results are filled in, to be saved or changed."""
    late_skills = {
        result.skill.id: result.passed for result in late if result.skill is not None and result.passed is not None
    }
    return {**assessment.marks_of(attempt).skills, **late_skills}


def _refill(form: ResultForm, marked: Mapping[int, bool], attempt: Assessment | None) -> dict[int, bool]:
    """Fill a form that was refused: what was changed on it stays, the rest is what others saved meanwhile.

    Returns the skills to show, id → passed.
    """
    marks = marking.redisplay(form.seen.data or "", form.marks(marked), assessment.marks_of(attempt))
    if not form.theory_score.errors:
        form.theory_score.data = marks.theory_score
    if not form.note.errors:
        form.note.data = marks.note
    return dict(marks.skills)


def _save(enrolment: Enrolment, offering: Offering, form: ResultForm, marks: Marks, *, retest: bool) -> None:
    seen = form.seen.data or ""
    if offering.state == OfferingState.CLOSED:
        zone = current_app.config["SETTINGS"].zone
        outcome = correction.correct_result(
            db(), enrolment, marks, seen=seen, retest=retest, reason=form.reason.data or "", scope=scope(),
            now=clock.now(), zone=zone,
        )  # fmt: skip
        flash_correction(outcome)
        return
    assessment.save(db(), enrolment, marks, seen=seen, retest=retest)
    flash(_("Results of %(name)s are saved.", name=namesakes.told_name(db(), enrolment)))


def _next_page(offering: Offering, enrolment: Enrolment) -> ResponseReturnValue:
    if "next" in request.form:
        following = assessment.next_without_result(db(), offering.id, enrolment.id)
        if following is not None:
            return redirect(url_for(".trainee", offering_id=offering.id, enrolment_id=following))
    return redirect(url_for(".page", offering_id=offering.id, _anchor=f"person-{enrolment.id}"))
