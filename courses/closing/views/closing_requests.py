"""Requests to close: the address that devices send them to, and withdrawing one; the closing page confirms them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses import saved_events
from courses.assessment.entitlement import SHORTFALL_LABELS
from courses.closing import closing_requests
from courses.closing.closing_requests import ClosingAnswer, ClosingInput, JudgedRequest
from courses.closing.forms.closing_requests import CLOSINGS
from courses.closing.presence import PersonPresence
from courses.closing.views.openapi import PATHS, SCHEMAS
from courses.device_events import BYTES_LIMIT, answer_each, readable
from courses.models.offerings import CourseSession
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import requires, scope, scope_of
from lms.core.error_pages import message_of
from lms.core.errors import N_, Denied
from lms.core.languages import in_both
from lms.core.redirects import local_address
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

blueprint = Blueprint("closing_requests", __name__)

A_MINUTE = 120
BODY_LIMIT = 4 * BYTES_LIMIT  # each request names the people of a class


@blueprint.post("/api/v1/closings")
@device(A_MINUTE)
def record() -> ResponseReturnValue:
    """Keep each request once, however often it is sent, and answer each with the judgement of now."""
    request.max_content_length = BODY_LIMIT
    paired, now = caller(), clock.now()
    grants = [grant for grant in paired.grants if grant.role in EXAMINERS]
    if not grants:
        raise Denied("closing_denied", N_("Your roles do not include closing a session."))
    events = CLOSINGS.read_batch(request.get_data(cache=False), now)
    answers = closing_requests.record_all(
        db(),
        readable(events),
        user_id=paired.user_id,
        device_id=paired.device_id,
        scope=scope_of(paired.user_id, grants),
        now=now,
    )
    return jsonify(received_at=now.isoformat(), answers=answer_each(events, answers, _facts))


@blueprint.post("/sessions/<int:session_id>/closing-requests/<uuid:event_id>/withdraw")
@requires(*EXAMINERS)
def withdraw(session_id: int, event_id: UUID) -> ResponseReturnValue:
    """Withdraw a request, by its sender."""
    closing_requests.withdraw(db(), event_id, user_id=current_user.id, scope=scope(), now=clock.now())
    flash(_("The request to close was withdrawn. Nothing was closed."))
    return redirect(local_address(request.form.get("next"), url_for("attendance.roster", session_id=session_id)))


def waiting_closings(meetings: Collection[CourseSession]) -> dict[int, list[JudgedRequest]]:
    """Return the requests that wait for these sessions, judged by what is recorded now; templates call this."""
    by_session = closing_requests.waiting(db(), meetings)
    return {
        session_id: [closing_requests.judge(db(), row, scope()) for row in rows]
        for session_id, rows in by_session.items()
    }


def shortfall_labels() -> dict[str, str]:
    """Return the label of each shortfall in the page's language; templates call this."""
    return {code: _(label) for code, (label, _advice) in SHORTFALL_LABELS.items()}


def offerings_with_requests(offering_ids: Collection[int]) -> set[int]:
    """Return which offerings have a closing that waits to be confirmed; templates call this."""
    return closing_requests.waiting_offerings(db(), offering_ids)


def _facts(answer: ClosingAnswer | None) -> dict[str, Any]:
    if answer is None:
        return dict.fromkeys(("session", "state", "judged"))
    return {
        "session": answer.session_id,
        "state": answer.state,
        "judged": _judged_json(answer.judged) if answer.judged is not None else None,
    }


def _record_saved(events: Sequence[ClosingInput]) -> Sequence[ClosingAnswer]:
    """Keep the requests of a saved file within the scope of the user's roles that may close."""
    closing_scope = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
    return closing_requests.record_all(
        db(), events, user_id=current_user.id, device_id=None, scope=closing_scope, now=clock.now()
    )


saved_events.register(
    "/api/v1/closings", SavedKind(CLOSINGS, _record_saved, lambda _event, _answer: (_("Closing of a session"), None))
)


def _judged_json(judged: JudgedRequest) -> dict[str, Any]:
    effects = judged.effects
    return {
        "last": effects.last,
        "present": effects.present,
        "headcount": effects.headcount,
        "certified": effects.certificates_due,
        "waiting_names": effects.certificates_waiting,
        "in_review": judged.in_review,
        "missed": [_missed_json(person) for person in effects.missed],
        "refusals": [{"code": error.code, "text": in_both(error.message, **error.params)} for error in judged.refusals],
        "differences": [
            {"enrolment": difference.enrolment_id, "foreseen": difference.foreseen, "judged": difference.judged}
            for difference in judged.differences
        ],
    }


def _missed_json(person: PersonPresence) -> dict[str, Any]:
    stays = [session.punctuality for session in person.incomplete if session.punctuality is not None]
    return {
        "enrolment": person.enrolment_id,
        "absent": len(person.incomplete) - len(stays),
        "late": sum(stay.late for stay in stays),
        "early": sum(stay.early for stay in stays),
        "minutes": person.minutes,
        "missing": person.missing,
    }


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
blueprint.add_app_template_global(waiting_closings)
blueprint.add_app_template_global(message_of, "refusal_text")
blueprint.add_app_template_global(lambda code: SHORTFALL_LABELS[code][0], "shortfall_label")
blueprint.add_app_template_global(offerings_with_requests)
blueprint.add_app_template_global(shortfall_labels)
