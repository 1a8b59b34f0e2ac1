"""Requests to close: the address that devices send them to, and withdrawing one; the closing page confirms them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.assessment.entitlement import SHORTFALL_LABELS
from courses.closing import closing_requests
from courses.closing.closing_requests import MESSAGES, ClosingAnswer, JudgedRequest
from courses.closing.forms import closing_requests as forms
from courses.closing.presence import PersonPresence
from courses.closing.views.openapi import PATHS, SCHEMAS
from courses.models.offerings import CourseSession
from courses.outcomes import Outcome
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import requires, scope, scope_of
from lms.core.error_pages import message_of
from lms.core.errors import N_, Denied, DomainError
from lms.core.languages import in_both
from lms.core.redirects import local_address
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

blueprint = Blueprint("closing_requests", __name__)

A_MINUTE = 120
BATCH_LIMIT = 100
BODY_LIMIT = 512 * 1024
BAD_EVENT = N_("This request could not be read. Reload the page and ask again.")


@blueprint.post("/api/v1/closings")
@device(A_MINUTE)
def record() -> ResponseReturnValue:
    """Keep each request once, however often it is sent, and answer each with the judgement of now."""
    request.max_content_length = BODY_LIMIT
    paired, now = caller(), clock.now()
    grants = [grant for grant in paired.grants if grant.role in EXAMINERS]
    if not grants:
        raise Denied("closing_denied", N_("Your roles do not include closing a session."))
    bodies = _event_bodies(request.get_json(silent=True))
    inputs = [forms.read(body) for body in bodies]
    answers = iter(
        closing_requests.record_all(
            db(),
            [request_input for request_input in inputs if request_input is not None],
            user_id=paired.user_id,
            device_id=paired.device_id,
            scope=scope_of(paired.user_id, grants),
            now=now,
        )
    )
    answers_json = [
        _answer_json(next(answers)) if request_input is not None else _rejection_json(body)
        for body, request_input in zip(bodies, inputs, strict=True)
    ]
    if len(answers_json) == 1 and answers_json[0]["code"] == "event_conflict":
        raise DomainError("event_conflict", MESSAGES["event_conflict"], status=409)
    return jsonify(received_at=now.isoformat(), answers=answers_json)


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


def offerings_with_requests(offering_ids: Collection[int]) -> set[int]:
    """Return which offerings have a closing that waits to be confirmed; templates call this."""
    return closing_requests.waiting_offerings(db(), offering_ids)


def _event_bodies(body: Any) -> list[Any]:
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH_LIMIT:
        raise DomainError("bad_batch", N_("Send “events”, a list of 1 to 100."), status=422)
    return events


def _answer_json(answer: ClosingAnswer) -> dict[str, Any]:
    return {
        "id": str(answer.id),
        "outcome": answer.outcome,
        "code": answer.code,
        "text": in_both(answer.message),
        "session": answer.session_id,
        "state": answer.state,
        "judged": _judged_json(answer.judged) if answer.judged is not None else None,
    }


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
        "refusals": [
            {"code": error.code, "text": in_both(error.message, **error.params)} for error in judged.refusals
        ],
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


def _rejection_json(body: Any) -> dict[str, Any]:
    event_id = body.get("id") if isinstance(body, dict) else None
    return {
        "id": event_id if isinstance(event_id, str) else None,
        "outcome": Outcome.REJECTED,
        "code": "bad_event",
        "text": in_both(BAD_EVENT),
        "session": None,
        "state": None,
        "judged": None,
    }


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
blueprint.add_app_template_global(waiting_closings)
blueprint.add_app_template_global(message_of, "refusal_text")
blueprint.add_app_template_global(lambda code: SHORTFALL_LABELS[code][0], "shortfall_label")
blueprint.add_app_template_global(offerings_with_requests)
