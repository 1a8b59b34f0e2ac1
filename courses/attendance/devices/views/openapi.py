"""The OpenAPI description of the check-in interface for paired devices."""

from typing import Any

from courses.attendance.devices.forms.check_ins import DEVICE_METHODS, MESSAGES
from courses.attendance.devices.search_hashes import HASH_BYTES
from courses.attendance.devices.views.openapi_closing import CLOSING, ELSEWHERE, HOLDS, NAMED
from courses.device_events import BATCH_LIMIT
from courses.models.attendance import AttendanceKind, ReviewReason
from courses.outcomes import Outcome
from lms.core.openapi import refusals

_TEXT_IN_BOTH_LANGUAGES = {
    "type": "object",
    "required": ["zh", "en"],
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
_ID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL = {"oneOf": [_MOMENT, {"type": "null"}]}
_VERSION = {
    "type": "string",
    "pattern": "^[0-9a-f]{16}([.][0-9a-f]{16}){2}$",
    "description": "Three hashes: of the people and the session, of who is present, and of the marks.",
}
_TOKEN = [
    {
        "name": "Authorization",
        "in": "header",
        "required": True,
        "description": "`Bearer` and the token of POST /api/v1/devices. Cookies are not looked at.",
        "schema": {"type": "string"},
    }
]
_ATTEMPTS = {
    "type": "array",
    "description": "In their order; a retest is an attempt.",
    "items": {
        "type": "object",
        "required": ["attempt", "theory", "skills"],
        "properties": {
            "attempt": {"type": "integer"},
            "theory": {"type": ["integer", "null"]},
            "skills": {"type": "object", "additionalProperties": {"type": "boolean"}},
        },
    },
}
_OFFERING = {
    "type": "object",
    "required": ["id", "theory", "pass_mark"],
    "properties": {
        "id": {"type": "integer"},
        "theory": {"type": "boolean", "description": "The course has a theory test."},
        "pass_mark": {"type": ["integer", "null"]},
    },
}
REJECTIONS = sorted({*MESSAGES, "event_conflict", "not_found", "reason_missing"})

SCHEMAS: dict[str, Any] = {
    "CheckIn": {
        "type": "object",
        "required": ["id", "session", "kind", "method", "told_at"],
        "properties": {
            "id": _ID | {"description": "Made on the device, once, and sent with each retry."},
            "session": {"type": "integer"},
            "kind": {"type": "string", "enum": sorted(AttendanceKind)},
            "method": {"type": "string", "enum": sorted(DEVICE_METHODS)},
            "told_at": _MOMENT | {"description": "The device's own clock."},
            "offset_ms": {
                "type": ["integer", "null"],
                "description": "The server's clock less the device's, as measured; from `sent_at` where it is null.",
            },
            "enrolment": {"type": "integer"},
            "ticket": {"type": "string", "description": "As scanned, or the SHA-256 of the ticket in hex."},
            "walk_in": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {"id": _ID, "name": {"type": "string"}},
            },
            "undoes": _ID | {"description": "The event that an undo takes back; without it, all up to its moment."},
            "reason": {"type": "string", "description": "Needed to undo."},
        },
        "oneOf": [{"required": ["enrolment"]}, {"required": ["ticket"]}, {"required": ["walk_in"]}],
    },
    "CheckInAnswer": {
        "type": "object",
        "required": ["id", "outcome", "code", "text", "enrolment", "present", "arrived_at", "left_at", "by"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "outcome": {"type": "string", "enum": [outcome.value for outcome in Outcome]},
            "code": {
                "type": "string",
                "description": f"In review: {', '.join(sorted(ReviewReason))}. Rejected: {', '.join(REJECTIONS)}.",
            },
            "text": _TEXT_IN_BOTH_LANGUAGES,
            "enrolment": {"type": ["integer", "null"]},
            "present": {"type": "boolean"},
            "arrived_at": _MOMENT_OR_NULL,
            "left_at": _MOMENT_OR_NULL,
            "by": {"type": ["string", "null"], "description": "Who had checked the person in already."},
        },
    },
    "CourseSession": {
        "type": "object",
        "required": ["id", "title", "place", "starts_at", "ends_at", "opens_at", "headcount", "closed"],
        "properties": {
            "id": {"type": "integer"},
            "title": _TEXT_IN_BOTH_LANGUAGES,
            "place": {"type": "string"},
            "starts_at": _MOMENT,
            "ends_at": _MOMENT,
            "opens_at": _MOMENT,
            "headcount": {"type": "integer", "description": "People who were counted and are not on the roster."},
            "closed": {"type": "boolean"},
        },
    },
    "OwnCheckInTimes": {
        "type": ["object", "null"],
        "description": "The check-in of the device's user; null where the user does not teach at the session.",
        "required": ["arrived_at", "left_at", "opens_at"],
        "properties": {"arrived_at": _MOMENT_OR_NULL, "left_at": _MOMENT_OR_NULL, "opens_at": _MOMENT},
    },
    "RosterPerson": {
        "type": "object",
        "required": [
            "enrolment",
            "name",
            "hint",
            "find",
            "ticket",
            "state",
            "present",
            "arrived_at",
            "left_at",
            "elsewhere",
            "named",
            "holds",
            "skills",
            "attempts",
        ],
        "properties": {
            "enrolment": {"type": "integer"},
            "name": {"type": "string", "description": "Masked."},
            "hint": {"type": "string", "description": "Tells people of one masked name apart; else empty."},
            "find": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The whole name, its initials and the last four digits of the phone: of each, the first"
                f" {HASH_BYTES} bytes of its HMAC-SHA-256 with the roster's `search_key`, in hex.",
            },
            "ticket": {"type": "string", "description": "SHA-256 of the ticket, in hex."},
            "state": {"type": "string"},
            "present": {"type": "boolean"},
            "arrived_at": _MOMENT_OR_NULL,
            "left_at": _MOMENT_OR_NULL,
            "elsewhere": ELSEWHERE,
            "named": NAMED,
            "holds": HOLDS,
            "skills": {
                "type": "object",
                "additionalProperties": {"type": "boolean"},
                "description": "Passed in any attempt.",
            },
            "attempts": _ATTEMPTS,
        },
    },
}


def _list_of(schema: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _answer(description: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


_ROSTER: dict[str, Any] = {
    "version": _VERSION,
    "search_key": {
        "type": "object",
        "required": ["id", "value"],
        "properties": {"id": {"type": "string"}, "value": {"type": "string", "format": "byte"}},
        "description": "The key of this device; to be kept where no script can read it, never in clear.",
    },
    "session": {"$ref": "#/components/schemas/CourseSession"},
    "own": {"$ref": "#/components/schemas/OwnCheckInTimes"},
    "closing": CLOSING,
    "offering": _OFFERING,
    "people": _list_of("RosterPerson"),
    "skills": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {"id": {"type": "integer"}, "name": _TEXT_IN_BOTH_LANGUAGES},
        },
    },
}

PATHS: dict[str, Any] = {
    "/api/v1/check-ins": {
        "post": {
            "operationId": "sendCheckIns",
            "summary": f"Send up to {BATCH_LIMIT} check-ins that a device kept",
            "description": "Sending one again changes nothing and is answered as the first time. The same id with another"
            " body is rejected (`event_conflict`); alone in its batch, with 409.",
            "parameters": _TOKEN,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["events"],
                            "properties": {
                                "sent_at": _MOMENT | {"description": "The device's own clock."},
                                "events": _list_of("CheckIn") | {"minItems": 1, "maxItems": BATCH_LIMIT},
                            },
                        }
                    }
                },
            },
            "responses": {
                **_answer("An answer for each, in their order", received_at=_MOMENT, answers=_list_of("CheckInAnswer")),
                **refusals(401, 409, 413, 422, 429),
            },
        }
    },
    "/api/v1/sessions": {
        "get": {
            "operationId": "listOwnSessions",
            "summary": "The sessions that the device's user teaches, from yesterday to a week ahead",
            "parameters": _TOKEN,
            "responses": {
                **_answer("By time", sessions=_list_of("CourseSession"), server_time=_MOMENT),
                **refusals(401, 429),
            },
        }
    },
    "/api/v1/day": {
        "get": {
            "operationId": "readDay",
            "summary": "The rosters of the sessions that the device's user teaches today and tomorrow, in one answer",
            "description": "Days of the branch's time zone. Each roster is as /api/v1/sessions/{session}/roster gives it.",
            "parameters": [
                *_TOKEN,
                {
                    "name": "If-None-Match",
                    "in": "header",
                    "description": "The ETag of the answer that the device stores.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                **_answer(
                    "By time",
                    **{"from": _MOMENT},
                    until=_MOMENT,
                    rosters={
                        "type": "array",
                        "items": {"type": "object", "required": list(_ROSTER), "properties": _ROSTER},
                    },
                    server_time=_MOMENT,
                ),
                "304": {"description": "What the device stores is what this would answer."},
                **refusals(401, 429),
            },
        }
    },
    "/api/v1/sessions/{session}/roster": {
        "get": {
            "operationId": "readRoster",
            "summary": "What a device keeps of a session: masked names and hashed tickets, no phone and no ID number",
            "parameters": [*_TOKEN, {"name": "session", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "responses": {
                **_answer("The people by name", **_ROSTER, server_time=_MOMENT),
                **refusals(401, 404, 429),
            },
        }
    },
    "/api/v1/sessions/{session}/changes": {
        "get": {
            "operationId": "readChanges",
            "summary": "Whether a session is still as the device knows it, and who is present: to be asked every two seconds",
            "description": "Without a change, 304 and no content. Where the part of the version that stands for the people"
            " has changed, the device reads the roster again.",
            "parameters": [
                *_TOKEN,
                {"name": "session", "in": "path", "required": True, "schema": {"type": "integer"}},
                {
                    "name": "If-None-Match",
                    "in": "header",
                    "description": "The version of the roster, or of the last change, in quotation marks.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                **_answer(
                    "What changed",
                    version=_VERSION,
                    present={
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["enrolment", "arrived_at", "left_at"],
                            "properties": {
                                "enrolment": {"type": "integer"},
                                "arrived_at": _MOMENT,
                                "left_at": _MOMENT_OR_NULL,
                            },
                        },
                    },
                ),
                "304": {"description": "The session is as the version tells."},
                **refusals(401, 404, 429),
            },
        }
    },
}
