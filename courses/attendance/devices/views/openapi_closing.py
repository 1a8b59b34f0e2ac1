"""The OpenAPI description of the facts with which a device foresees a closing."""

from typing import Any

_MOMENT = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL = {"oneOf": [_MOMENT, {"type": "null"}]}

ELSEWHERE: dict[str, Any] = {
    "type": "object",
    "description": "By the id of another session of the offering, the arrival and the leaving there",
    "additionalProperties": {"type": "array", "items": _MOMENT_OR_NULL, "minItems": 2, "maxItems": 2},
}
NAMED: dict[str, Any] = {
    "type": "boolean",
    "description": "The name has a letter, so that a certificate can be issued.",
}
HOLDS: dict[str, Any] = {
    "type": "boolean",
    "description": "The person holds what the course demands, or it demands nothing.",
}
CLOSING: dict[str, Any] = {
    "type": "object",
    "required": [
        "sessions", "sessions_needed", "minutes_planned", "minutes_needed", "pass_mark", "skills", "certificate", "by_self",
        "hours",
    ],
    "properties": {
        "sessions": {
            "type": "array",
            "description": "All sessions of the offering, by time",
            "items": {
                "type": "object",
                "required": ["id", "starts_at", "ends_at", "closed", "headcount"],
                "properties": {
                    "id": {"type": "integer"},
                    "starts_at": _MOMENT,
                    "ends_at": _MOMENT,
                    "closed": {"type": "boolean"},
                    "headcount": {"type": "integer"},
                },
            },
        },
        "sessions_needed": {"type": "integer"},
        "minutes_planned": {"type": "integer"},
        "minutes_needed": {"type": "integer", "description": "0 where no share of the minutes is required"},
        "pass_mark": {"type": ["integer", "null"], "description": "Per cent; null without a theory test"},
        "skills": {"type": "array", "items": {"type": "integer"}},
        "certificate": {"type": "boolean", "description": "The course gives a certificate."},
        "by_self": {"type": "integer", "description": "People of this session who checked themselves in"},
        "hours": {
            "oneOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": ["course", "given", "choice", "reason"],
                    "properties": {
                        "course": {"type": "number"},
                        "given": {"type": "number"},
                        "choice": {"oneOf": [{"type": "string", "enum": ["given", "course"]}, {"type": "null"}]},
                        "reason": {"type": ["string", "null"]},
                    },
                },
            ],
            "description": "Where the offering plans fewer hours than its course has: what was decided so far",
        },
    },
}  # fmt: skip
