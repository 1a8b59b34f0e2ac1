"""The upload of a file in which a device saved its unsent events; each is recorded as if sent, and answered on the page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from courses import saved_events
from courses.attendance.devices import roster
from courses.attendance.devices.forms.unsent import SavedFileForm
from courses.device_events import UnreadableEvent
from courses.outcomes import Outcome
from lms.core.access import requires
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import in_both, language
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS

blueprint = Blueprint("unsent", __name__)


@dataclass(frozen=True)
class UploadedEvent:
    """An event of the file, with its outcome and the answer's text in the page's language.

    about: a walk-in as typed on the device, or what it was; people are shown by their enrolment's name. at: the device's time.
    """

    about: str
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
            events = _record_file(form.file.data.read(saved_events.BYTES_LIMIT + 1))
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
    if len(data) > saved_events.BYTES_LIMIT:
        raise DomainError("file_too_large", N_("The file is too large. Send a smaller one."), status=413, field="file")
    return [
        UploadedEvent("", None, None, Outcome.REJECTED, _text(recorded.message))
        if isinstance(recorded, UnreadableEvent)
        else UploadedEvent(
            recorded.about,
            recorded.enrolment_id,
            recorded.event.told_at,
            recorded.answer.outcome,
            _text(recorded.answer.message, **recorded.answer.params),
        )
        for recorded in saved_events.record(saved_events.read(data))
    ]


def _text(message: str, **params: Any) -> str:
    return in_both(message, **params)[language()]
