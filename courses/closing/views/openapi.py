"""The OpenAPI description of the requests to close that paired devices send."""

from typing import Any

from courses.assessment.entitlement import Shortfall
from courses.closing.closing_requests import MESSAGES
from courses.closing.forms.closing_requests import PEOPLE_LIMIT
from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.models.closing_requests import ClosingRequestState
from courses.outcomes import REASON_LIMIT, Outcome
from lms.core.openapi import refusals

_TEXT = {
    "type": "object",
    "required": ["zh", "en"],
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
_MOMENT = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": HEADCOUNT_LIMIT}
_REASON = {"type": ["string", "null"], "maxLength": REASON_LIMIT}
_CODES = {"type": "array", "items": {"type": "string", "enum": [str(code) for code in Shortfall]}}
_CODES_OR_NULL = {"oneOf": [_CODES, {"type": "null"}]}
_FORESEEN = {
    "type": "object",
    "required": ["last", "present", "certified", "missing"],
    "properties": {
        "last": {"type": "boolean", "description": "No other session of the offering would be open."},
        "present": _NUMBER,
        "certified": _NUMBER | {"description": "Certificates that would be due."},
        "missing": {
            "type": "object",
            "maxProperties": PEOPLE_LIMIT,
            "additionalProperties": _CODES | {"maxItems": len(Shortfall)},
            "propertyNames": {"pattern": "^[1-9][0-9]{0,17}$"},
            "description": "By the enrolment's id, what the person lacks; with the last session everybody is named.",
        },
    },
}
SCHEMAS: dict[str, Any] = {
    "ClosingEvent": {
        "type": "object",
        "required": ["id", "session", "told_at", "foreseen"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
            "session": {"type": "integer"},
            "told_at": _MOMENT | {"description": "The device's own clock"},
            "offset_ms": {"type": ["integer", "null"], "description": "The server's clock less the device's"},
            "heads": {
                "type": ["integer", "null"], "minimum": 0, "maximum": HEADCOUNT_LIMIT,
                "description": "People counted in the room, where trainees checked themselves in",
            },
            "heads_reason": _REASON | {"description": "Why that number differs from the list"},
            "before_end": {"type": "boolean", "description": "It is meant before the planned end."},
            "hours": {
                "oneOf": [
                    {"type": "null"},
                    {
                        "type": "object",
                        "required": ["choice"],
                        "properties": {"choice": {"type": "string", "enum": ["given", "course"]}, "reason": _REASON},
                    },
                ],
                "description": "Which hours the certificates print, where the offering plans fewer than its course has",
            },
            "foreseen": _FORESEEN | {"description": "What the device foresaw; it is compared and never believed."},
        },
    },
    "ClosingAnswer": {
        "type": "object",
        "required": ["id", "outcome", "code", "text", "session", "state", "judged"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "outcome": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
            "code": {"type": "string", "description": ", ".join([*MESSAGES, "bad_event"])},
            "text": _TEXT,
            "session": {"type": ["integer", "null"]},
            "state": {
                "oneOf": [
                    {"type": "string", "enum": [str(state) for state in ClosingRequestState]},
                    {"type": "null"},
                ]
            },
            "judged": {
                "oneOf": [{"$ref": "#/components/schemas/ClosingJudgement"}, {"type": "null"}],
                "description": "What closing would do now, while the request waits",
            },
        },
    },
    "ClosingJudgement": {
        "type": "object",
        "required": [
            "last", "present", "headcount", "certified", "waiting_names", "in_review", "missed", "refusals", "differences",
        ],
        "properties": {
            "last": {"type": "boolean"},
            "present": {"type": "integer"},
            "headcount": {"type": "integer"},
            "certified": {"type": "integer", "description": "Certificates that would be due"},
            "waiting_names": {"type": "integer", "description": "Of them, those whose name no font can print yet"},
            "in_review": {"type": "integer", "description": "Check-ins of the session that wait for review"},
            "missed": {
                "type": "array",
                "description": "Who was absent, late or left early",
                "items": {
                    "type": "object",
                    "required": ["enrolment", "absent", "late", "early", "minutes", "missing"],
                    "properties": {
                        "enrolment": {"type": "integer"},
                        "absent": {"type": "integer", "description": "Sessions"},
                        "late": {"type": "integer", "description": "Minutes, over the sessions"},
                        "early": {"type": "integer", "description": "Minutes, over the sessions"},
                        "minutes": {"type": "integer", "description": "Attended"},
                        "missing": _CODES,
                    },
                },
            },
            "refusals": {
                "type": "array",
                "description": "Why it cannot be closed as asked, and what to do",
                "items": {
                    "type": "object",
                    "required": ["code", "text"],
                    "properties": {"code": {"type": "string"}, "text": _TEXT},
                },
            },
            "differences": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["enrolment", "foreseen", "judged"],
                    "properties": {
                        "enrolment": {"type": "integer"}, "foreseen": _CODES_OR_NULL, "judged": _CODES_OR_NULL,
                    },
                },
            },
        },
    },
}  # fmt: skip
PATHS: dict[str, Any] = {
    "/api/v1/closings": {
        "post": {
            "operationId": "requestClosings",
            "summary": "Ask to close sessions: each request is judged and waits until a person confirms it",
            "description": "With a device's token. Events that happened before are sent before, so that they are judged"
            " too. Nothing is closed by this: a user confirms on the closing page, after having seen the judgement.",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["events"],
                            "properties": {
                                "sent_at": _MOMENT,
                                "events": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 100,
                                    "items": {"$ref": "#/components/schemas/ClosingEvent"},
                                },
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "An answer for each, in the same order",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["received_at", "answers"],
                                "properties": {
                                    "received_at": _MOMENT,
                                    "answers": {
                                        "type": "array",
                                        "items": {"$ref": "#/components/schemas/ClosingAnswer"},
                                    },
                                },
                            }
                        }
                    },
                },
                **refusals(401, 403, 409, 413, 422, 429),
            },
        }
    }
}
