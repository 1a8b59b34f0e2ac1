"""Results: the list of an offering. One trainee's page is in `courses.closing.views.results`, which also corrects."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses.assessment import assessment, late_results
from courses.models.catalogue import CourseSkill
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings, rights
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role
from lms.core.web import db

blueprint = Blueprint("assessment", __name__)


@blueprint.get("")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def page(offering_id: int) -> ResponseReturnValue:
    """Everybody of an offering with what is entered and what is missing."""
    offering = offerings.page(db(), offering_id, scope())
    return render_template(
        "assessment/page.html",
        offering=offering,
        skills=skills_of(offering),
        lines=assessment.listing(db(), offering.id),
        late=late_results.waiting(db(), offering.id),
        may_enter=may_enter(offering),
    )


def skills_of(offering: Offering) -> list[CourseSkill]:
    """Skills of the course that are assessed now."""
    return [skill for skill in offering.course.skills if skill.active]


def may_enter(offering: Offering) -> bool:
    """Tell whether the reader may enter results now; once closed, only whoever may correct."""
    if offering.state == OfferingState.CLOSED:
        return rights.is_allowed(offering, scope(), now=clock.now())
    able = any(grant.role in EXAMINERS for grant in current_user.grants)
    return offering.state == OfferingState.PUBLISHED and able and not scope().read_only
