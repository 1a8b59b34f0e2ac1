"""A file of unsent check-ins, taken by hand where a device cannot send: through the same doors, with an answer for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import ValidationError

from courses.assessment import skill_results
from courses.assessment.skill_results import SkillInput
from courses.assessment.views.skill_results import BAD_EVENT, Event
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.devices import roster
from courses.attendance.devices.forms import check_ins
from courses.attendance.devices.forms.check_ins import Faulty, Sent
from courses.attendance.devices.forms.unsent import SavedFileForm
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.access import requires, scope, scope_of
from lms.core.errors import N_, DomainError
from lms.core.languages import in_both, language
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS
from lms.core.web import db, refused_on

blueprint = Blueprint("unsent", __name__)

Given = TypeVar("Given")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Line:
    """One event of the file and what became of it. `who`: a walk-in's name as typed; others are known by their enrolment."""

    who: str
    enrolment_id: int | None
    at: datetime | None
    outcome: Outcome
    text: str


@blueprint.route("/upload", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def upload() -> ResponseReturnValue:
    """Send a saved file; sending it twice changes nothing."""
    form = SavedFileForm()
    lines: list[Line] = []
    if form.validate_on_submit():
        with refused_on(form):
            lines = _taken(form.file.data.read(check_ins.FILE_BYTES_LIMIT + 1))
    names = roster.names_of(db(), {line.enrolment_id for line in lines if line.enrolment_id is not None})
    page = render_template(
        "unsent/upload.html",
        form=form,
        lines=lines,
        names=names,
        counts=[(outcome, count) for outcome in Outcome if (count := sum(line.outcome == outcome for line in lines))],
    )
    return make_response(page, 422 if form.is_submitted() and not lines else 200)


def _taken(data: bytes) -> list[Line]:
    if len(data) > check_ins.FILE_BYTES_LIMIT:
        raise DomainError("file_too_large", N_("The file is too large. Send a smaller one."), status=413, field="file")
    sent, results = check_ins.read_file(data)
    return [*_check_ins(sent), *_skills(results)]


def _check_ins(sent: Sequence[Sent]) -> list[Line]:
    now = clock.now()
    events = [event for event in sent if isinstance(event, AttendanceInput)]
    answers = iter(
        _in_parts(
            events,
            lambda part: recording.record_all(db(), part, user_id=current_user.id, scope=scope(), now=now),
        )
    )
    lines = []
    for event in sent:
        if isinstance(event, Faulty):
            lines.append(Line("", None, None, Outcome.REJECTED, _said(check_ins.MESSAGES[event.code])))
            continue
        answer = next(answers)
        who = event.walk_in.name if event.walk_in is not None else ""
        said = _said(answer.message, **answer.params)
        lines.append(Line(who, answer.enrolment_id, event.told_at, answer.outcome, said))
    return lines


def _skills(results: Sequence[Any]) -> list[Line]:
    """Entered within the reach of those roles that may examine, which may be none."""
    reach = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
    read = [_read(one) for one in results]
    answers = iter(
        _in_parts(
            [event for event in read if event is not None],
            lambda part: skill_results.record_all(
                db(), part, user_id=current_user.id, device_id=None, scope=reach, now=clock.now()
            ),
        )
    )
    lines = []
    for event in read:
        if event is None:
            lines.append(Line("", None, None, Outcome.REJECTED, _said(BAD_EVENT)))
            continue
        answer = next(answers)
        said = _said(answer.message, **answer.params)
        lines.append(Line("", answer.enrolment_id, event.told_at, answer.outcome, said))
    return lines


def _read(sent: Any) -> SkillInput | None:
    try:
        return Event.model_validate(sent).as_input()
    except ValidationError:
        return None


def _in_parts(given: Sequence[Given], record: Callable[[Sequence[Given]], Sequence[Answer]]) -> list[Answer]:
    """As many at once as a device may send."""
    most = recording.BATCH_LIMIT
    return [answer for start in range(0, len(given), most) for answer in record(given[start : start + most])]


def _said(message: str, **params: Any) -> str:
    return in_both(message, **params)[language()]
