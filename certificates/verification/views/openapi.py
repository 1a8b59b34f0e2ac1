"""OpenAPI description of the verification interface: schemas and paths."""

from typing import Any

from certificates.states import State
from certificates.verification.bulk import AT_ONCE, MAX_ITEMS
from lms.core.openapi import refusals

_BOTH = {
    "type": "object",
    "required": ["zh", "en"],
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
_DAY = {"type": "string", "format": "date"}

SCHEMAS: dict[str, Any] = {
    "Verdict": {
        "type": "object",
        "required": ["state", "reason"],
        "properties": {
            "state": {"type": "string", "enum": [state.value for state in State]},
            "reason": {"type": "string", "description": "A word that says more than the state."},
            "certificate": {"$ref": "#/components/schemas/Certificate"},
            "successor": {"type": "string", "format": "uri-reference"},
        },
    },
    "Certificate": {
        "type": "object",
        "required": [
            "number",
            "signed_code",
            "holder_masked",
            "programme",
            "type",
            "hours",
            "unit",
            "issued_on",
            "valid_until",
        ],
        "properties": {
            "number": {"type": "string"},
            "signed_code": {
                "type": "boolean",
                "description": "False for a certificate from before signed codes: our records alone speak for it.",
            },
            "holder_masked": {"type": "string"},
            "programme": {"type": "string"},
            "programme_name": _BOTH,
            "type": _BOTH,
            "hours": {"type": ["string", "null"]},
            "unit": _BOTH,
            "issued_on": _DAY,
            "valid_until": {"oneOf": [_DAY, {"type": "null"}]},
        },
    },
    "Question": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "code": {"type": "string", "description": "198 digits, or the whole address of a QR code."},
            "number": {"type": "string"},
            "name": {"type": "string", "description": "The holder's full name."},
            "id_tail": {"type": "string", "description": "The last 6 characters of the ID number."},
        },
        "anyOf": [{"required": ["code"]}, {"required": ["number", "name"]}, {"required": ["number", "id_tail"]}],
    },
}

_VERDICT = {"$ref": "#/components/schemas/Verdict"}
_PROGRESS: dict[str, Any] = {
    "status": {"type": "string", "enum": ["running", "finished"]},
    "size": {"type": "integer", "description": "The number of entries."},
    "done": {"type": "integer", "description": "How many of them are verified."},
    "kept_until": {"type": "string", "format": "date-time"},
}
_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "As in the `Location` of the answer to the list. Whoever has it can read the results.",
    "schema": {"type": "string"},
}

_RESULTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "allOf": [_VERDICT, {"type": "object", "properties": {"name_fits": {"type": ["boolean", "null"]}}}],
    },
}
SCHEMAS["ListProgress"] = {
    "type": "object",
    "required": list(_PROGRESS),
    "properties": _PROGRESS | {"results": _RESULTS},
}

PATHS: dict[str, Any] = {
    "/api/v1/openapi.json": {
        "get": {
            "operationId": "describe",
            "summary": "This document",
            "responses": {
                "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}},
                **refusals(405, 429),
            },
        }
    },
    "/api/v1/verify/{digits}": {
        "get": {
            "operationId": "verify",
            "summary": "Whether one code holds today",
            "parameters": [
                {
                    "name": "digits",
                    "in": "path",
                    "required": True,
                    "description": "198 digits, or any text that has them; else the reason is `unreadable`.",
                    "schema": {"type": "string"},
                }
            ],
            "responses": {
                "200": {"description": "The verdict", "content": {"application/json": {"schema": _VERDICT}}},
                **refusals(405, 429),
            },
        }
    },
    "/api/v1/verify": {
        "post": {
            "operationId": "verifyList",
            "summary": f"Whether each of at most {MAX_ITEMS} certificates holds today; more than {AT_ONCE} in the background",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["certificates"],
                            "properties": {
                                "certificates": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": MAX_ITEMS,
                                    "items": {"$ref": "#/components/schemas/Question"},
                                }
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "One verdict for each, in order. An entry that cannot be read has the reason `malformed`.",
                    "content": {
                        "application/json": {"schema": {"type": "object", "properties": {"results": _RESULTS}}}
                    },
                },
                "202": {
                    "description": f"More than {AT_ONCE} entries: they are verified in the background. Ask at `Location`.",
                    "headers": {
                        "Location": {"schema": {"type": "string", "format": "uri-reference"}},
                        "Retry-After": {"schema": {"type": "integer"}},
                    },
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ListProgress"}}},
                },
                **refusals(400, 405, 413, 415, 422, 429, 503),
            },
        }
    },
    "/api/v1/verify/lists/{token}": {
        "get": {
            "operationId": "verifyLongList",
            "summary": "How far a long list is; once finished, its answers. It is kept for a day",
            "parameters": [_TOKEN],
            "responses": {
                "200": {
                    "description": "While it runs, ask again after `Retry-After` seconds; `results` are there once finished.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ListProgress"}}},
                },
                **refusals(404, 405, 429),
            },
        },
        "delete": {
            "operationId": "deleteLongList",
            "summary": "Delete a long list before its time is over",
            "parameters": [_TOKEN],
            "responses": {"204": {"description": "It is deleted"}, **refusals(405, 429)},
        },
    },
}
