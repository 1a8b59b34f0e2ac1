"""The upload of a file in which a device saved its unsent events; each is recorded as if sent, and answered on the page."""

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
from courses.assessment.views.skill_results import BAD_EVENT, SkillEventBody
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.devices import roster
from courses.attendance.devices.forms import check_ins
from courses.attendance.devices.forms.check_ins import ParsedEvent, UnreadableEvent
from courses.attendance.devices.forms.unsent import SavedFileForm
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.access import requires, scope, scope_of
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import in_both, language
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS

blueprint = Blueprint("unsent", __name__)

Event = TypeVar("Event")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class UploadedEvent:
    """An event of the file, with its outcome and the answer's text in the page's language.

    walk_in_name: as typed on the device; other people are shown by their enrolment's name. at: the device's time.
    """

    walk_in_name: str
    enrolment_id: int | None
    at: datetime | None
    outcome: Outcome
    text: str


@blueprint.route("/upload", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def upload() -> ResponseReturnValue:
    """Record the events of a saved file; uploading it again changes nothing."""
    form = SavedFileForm()
    events: list[UploadedEvent] = []
    if form.validate_on_submit():
        with refused_on(form):
            events = _record_file(form.file.data.read(check_ins.FILE_BYTES_LIMIT + 1))
    names = roster.trainee_names(db(), {event.enrolment_id for event in events if event.enrolment_id is not None})
    page = render_template(
        "unsent/upload.html",
        form=form,
        events=events,
        names=names,
        counts=[
            (outcome, count) for outcome in Outcome if (count := sum(event.outcome == outcome for event in events))
        ],
    )
    return make_response(page, 422 if form.is_submitted() and not events else 200)


def _record_file(data: bytes) -> list[UploadedEvent]:
    if len(data) > check_ins.FILE_BYTES_LIMIT:
        raise DomainError("file_too_large", N_("The file is too large. Send a smaller one."), status=413, field="file")
    events, results = check_ins.read_saved_file(data)
    return [*_record_check_ins(events), *_record_skill_results(results)]


def _record_check_ins(events: Sequence[ParsedEvent]) -> list[UploadedEvent]:
    now = clock.now()
    answers = iter(
        _in_batches(
            [event for event in events if isinstance(event, AttendanceInput)],
            lambda batch: recording.record_all(db(), batch, user_id=current_user.id, scope=scope(), now=now),
        )
    )
    uploaded = []
    for event in events:
        if isinstance(event, UnreadableEvent):
            uploaded.append(UploadedEvent("", None, None, Outcome.REJECTED, _text(check_ins.MESSAGES[event.code])))
            continue
        answer = next(answers)
        walk_in_name = event.walk_in.name if event.walk_in is not None else ""
        text = _text(answer.message, **answer.params)
        uploaded.append(UploadedEvent(walk_in_name, answer.enrolment_id, event.told_at, answer.outcome, text))
    return uploaded


def _record_skill_results(results: Sequence[Any]) -> list[UploadedEvent]:
    """Record results within the scope of the user's examining roles; without such a role each result is `not_found`."""
    examining = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
    inputs = [_read_skill_result(result) for result in results]
    answers = iter(
        _in_batches(
            [skill_input for skill_input in inputs if skill_input is not None],
            lambda batch: skill_results.record_all(
                db(), batch, user_id=current_user.id, device_id=None, scope=examining, now=clock.now()
            ),
        )
    )
    uploaded = []
    for skill_input in inputs:
        if skill_input is None:
            uploaded.append(UploadedEvent("", None, None, Outcome.REJECTED, _text(BAD_EVENT)))
            continue
        answer = next(answers)
        text = _text(answer.message, **answer.params)
        uploaded.append(UploadedEvent("", answer.enrolment_id, skill_input.told_at, answer.outcome, text))
    return uploaded


def _read_skill_result(body: Any) -> SkillInput | None:
    try:
        return SkillEventBody.model_validate(body).as_input()
    except ValidationError:
        return None


def _in_batches(events: Sequence[Event], record: Callable[[Sequence[Event]], Sequence[Answer]]) -> list[Answer]:
    """Record the events in batches of the size that a device may send."""
    size = recording.BATCH_LIMIT
    return [answer for start in range(0, len(events), size) for answer in record(events[start : start + size])]


def _text(message: str, **params: Any) -> str:
    return in_both(message, **params)[language()]
