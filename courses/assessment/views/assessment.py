"""The list of an offering's results. The page of one trainee is in `courses.closing.views.results`, which also corrects."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from flask_login import current_user

from courses.assessment import assessment, grid, late_results, marking, retests
from courses.assessment.assessment import AttemptFacts
from courses.assessment.forms import grid_rows
from courses.assessment.grid import GridOutcome, GridRow, GridView
from courses.assessment.marking import Marks
from courses.assessment.retests import RetestInput
from courses.enrolment import namesakes
from courses.models.catalogue import CourseSkill
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings, rights
from courses.outcomes import Outcome
from instructors.models import Instructor
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role

blueprint = Blueprint("assessment", __name__)


@blueprint.get("")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def page(offering_id: int) -> ResponseReturnValue:
    """Show the trainees of an offering with their results, as a grid to fill in while it is open, and the late results."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    return _render(offering)


@blueprint.post("")
@requires(*EXAMINERS)
def save(offering_id: int) -> ResponseReturnValue:
    """Save the changed cells of the grid, and start the retests that the button names."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    skill_ids = [skill.id for skill in active_skills(offering)]
    rows = grid_rows(request.form, skill_ids)
    if fill := request.form.get("fill"):
        rows = _filled(offering, rows, skill_ids, fill)
    outcome = grid.save(db(), offering.id, rows, skill_ids)
    started = _start_retests(offering, rows, skill_ids)
    if outcome.refusals:
        return _render(
            offering, {row.enrolment_id: row for row in rows if row.enrolment_id in outcome.refusals}, outcome
        )
    if started:
        flash(ngettext("A retest is started for %(num)s person.", "A retest is started for %(num)s people.", started))
    if outcome.saved or not started:
        flash(ngettext("Results of %(num)s person are saved.", "Results of %(num)s people are saved.", outcome.saved))
    return redirect(url_for(".page", offering_id=offering.id))


def _render(
    offering: Offering, refused: Mapping[int, GridRow] | None = None, outcome: GridOutcome | None = None
) -> ResponseReturnValue:
    """Render the page. refused: the rows of the form of which something was not saved, shown as they were sent."""
    rows = assessment.result_rows(db(), offering.id)
    skills = active_skills(offering)
    facts: dict[str, Any] = {}
    if offering.state == OfferingState.PUBLISHED and may_enter(offering):
        views = grid.views(db(), offering, [row.enrolment_id for row in rows], [skill.id for skill in skills])
        people, reader = examiner_choices(offering)
        common = _common_examiner(views.values(), reader)
        facts = {
            "grid": True,
            "views": views,
            "shown": {key: _shown(view, (refused or {}).get(key)) for key, view in views.items()},
            "typed": {key: row.theory for key, row in (refused or {}).items()},
            "refusals": outcome.refusals if outcome else {},
            "examiners": people,
            "common": common,
            "session_id": _session_now(offering),
            "earlier_text": _earlier_text,
            "due": sum(view.retest_due for view in views.values()),
        }
    content = render_template(
        "assessment/page.html",
        offering=offering,
        skills=skills,
        rows=rows,
        hints=namesakes.hints(db(), {row.enrolment_id: row.name for row in rows}),
        late=late_results.waiting(db(), offering.id),
        may_enter=may_enter(offering),
        **facts,
    )
    # A response of an error would take back what was saved.
    return make_response(content, 422 if refused and outcome is not None and not outcome.saved else 200)


def _shown(view: GridView, row: GridRow | None) -> Marks:
    """The marks that a row shows: what was changed on a refused row stays, the rest is stored."""
    if row is None:
        return view.marks
    theory = int(row.theory) if row.theory.strip().isdecimal() else None
    return marking.redisplay(row.seen, Marks(theory, row.skills, row.examiner_id, view.marks.note), view.marks)


def _filled(offering: Offering, rows: list[GridRow], skill_ids: Sequence[int], fill: str) -> list[GridRow]:
    """Set skills that were not examined to passed: of all who were present, of one skill (`skill-7`), or of one person.

    What an earlier attempt has passed stays open.
    """
    results = {row.enrolment_id: row for row in assessment.result_rows(db(), offering.id)}
    kind, _, number = fill.partition("-")
    filled = []
    for row in rows:
        facts = results.get(row.enrolment_id)
        chosen = kind == "person" and number == str(row.enrolment_id)
        if facts is not None and (chosen or (kind != "person" and facts.attended)):
            fresh = {
                skill_id: True
                for skill_id in skill_ids
                if (kind != "skill" or number == str(skill_id)) and not facts.results.skill(skill_id)
            }
            row = replace(row, skills={**fresh, **row.skills})  # noqa: PLW2901
        filled.append(row)
    return filled


def _start_retests(offering: Offering, rows: Sequence[GridRow], skill_ids: Sequence[int]) -> int:
    """Start the retest of one person, or of everybody who failed, as the button says; return how many were started."""
    chosen = request.form.get("retest", "")
    after: dict[int, int] = {}
    if chosen == "failed":
        views = grid.views(db(), offering, [row.enrolment_id for row in rows], skill_ids)
        after = {enrolment_id: view.attempt for enrolment_id, view in views.items() if view.retest_due}
    else:
        after = {row.enrolment_id: row.seen_attempt for row in rows if chosen == str(row.enrolment_id)}
    if not after:
        return 0
    now, session_id = clock.now(), _session_now(offering)
    events = [
        RetestInput(uuid4(), session_id, enrolment_id, max(number, 1), now) for enrolment_id, number in after.items()
    ]
    answers = retests.record_all(db(), events, user_id=current_user.id, device_id=None, scope=scope(), now=now)
    return sum(answer.outcome == Outcome.ACCEPTED for answer in answers)


def _session_now(offering: Offering) -> int:
    """The id of the session that runs or ran last, else of the first one: a mark from the grid belongs to it."""
    begun = [meeting for meeting in offering.sessions if meeting.starts_at <= clock.now()]
    meetings = begun[-1:] or offering.sessions[:1]
    return meetings[0].id if meetings else 0


def examiner_choices(offering: Offering) -> tuple[list[Instructor], Instructor | None]:
    """Return the instructors who may be chosen as examiner, and the reader if they are an instructor; the reader always may."""
    zone = current_app.config["SETTINGS"].zone
    last_start = max((meeting.starts_at for meeting in offering.sessions), default=clock.now())
    people = assessment.eligible_examiners(db(), offering, clock.day_of(last_start, zone))
    reader = assessment.instructor_of(db(), current_user.id)
    if reader is not None and reader.id not in {person.id for person in people}:
        people = [reader, *people]
    return people, reader


def _earlier_text(earlier: Sequence[AttemptFacts], skills: Sequence[CourseSkill]) -> str:
    """The results of the attempts before the shown one in few characters: `45, 2/4; 58, 3/4`."""
    texts = []
    for attempt in earlier:
        passed = sum(attempt.skills.get(skill.id) is True for skill in skills)
        theory = [str(attempt.theory)] if attempt.theory is not None else []
        texts.append(", ".join([*theory, *([f"{passed}/{len(skills)}"] if attempt.skills else [])]) or "–")
    return "; ".join(texts)


def _common_examiner(views: Iterable[GridView], reader: Instructor | None) -> int:
    """The examiner of most rows, else the reader; 0 where nobody is known."""
    counts = Counter(view.marks.examiner_id for view in views if view.marks.examiner_id is not None)
    if counts:
        return counts.most_common(1)[0][0]
    return reader.id if reader is not None else 0


def active_skills(offering: Offering) -> list[CourseSkill]:
    """Return the skills of the offering's course that are examined now."""
    return [skill for skill in offering.course.skills if skill.active]


def may_enter(offering: Offering) -> bool:
    """Return whether the user may enter results now; of a closed offering only a user who may correct it."""
    if offering.state == OfferingState.CLOSED:
        return rights.may_correct(offering, scope(), now=clock.now())
    is_examiner = any(grant.role in EXAMINERS for grant in current_user.grants)
    return offering.state == OfferingState.PUBLISHED and is_examiner and not scope().read_only
