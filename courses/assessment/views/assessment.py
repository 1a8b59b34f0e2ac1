"""The list of an offering's results. The page of one trainee is in `courses.closing.views.results`, which also corrects."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses.assessment import assessment, late_results
from courses.enrolment import namesakes
from courses.models.catalogue import CourseSkill
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings, rights
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role

blueprint = Blueprint("assessment", __name__)


@blueprint.get("")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def page(offering_id: int) -> ResponseReturnValue:
    """List the trainees of an offering with their results, and the late results."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    rows = assessment.result_rows(db(), offering.id)
    return render_template(
        "assessment/page.html",
        offering=offering,
        skills=active_skills(offering),
        rows=rows,
        hints=namesakes.hints(db(), {row.enrolment_id: row.name for row in rows}),
        late=late_results.waiting(db(), offering.id),
        may_enter=may_enter(offering),
    )


def active_skills(offering: Offering) -> list[CourseSkill]:
    """Return the skills of the offering's course that are examined now."""
    return [skill for skill in offering.course.skills if skill.active]


def may_enter(offering: Offering) -> bool:
    """Return whether the user may enter results now; of a closed offering only a user who may correct it."""
    if offering.state == OfferingState.CLOSED:
        return rights.may_correct(offering, scope(), now=clock.now())
    is_examiner = any(grant.role in EXAMINERS for grant in current_user.grants)
    return offering.state == OfferingState.PUBLISHED and is_examiner and not scope().read_only
