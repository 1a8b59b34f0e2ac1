"""The OpenAPI 3.1 document, written as data. Each area adds its own paths and schemas."""

from typing import Any

Json = dict[str, Any]

_paths: Json = {}
_schemas: Json = {
    "Problem": {
        "type": "object",
        "description": "Why a request was refused (RFC 9457). `code` is for programs, `detail` for people.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
        },
    }
}


def describe(*, paths: Json, schemas: Json) -> None:
    """Add the paths and schemas of an area. Adding them twice has no effect."""
    _paths.update(paths)
    _schemas.update(schemas)


def refusals(*statuses: int) -> Json:
    """The error responses of an operation, by status."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    descriptions = {
        400: "The request could not be read",
        401: "Not signed in, or no token that holds",
        403: "Not for this role",
        404: "No such thing",
        405: "Not this method",
        409: "It contradicts what is recorded",
        413: "Too large",
        415: "Not this media type",
        422: "Understood and refused",
        429: "Too many requests",
        503: "Busy at the moment",
    }
    return {str(status): {"description": descriptions[status], "content": content} for status in statuses}


def document(server: str, title: str) -> Json:
    """The whole document. server: the URL of this site. title: the name of the interface."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": server}],
        "paths": _paths,
        "components": {"schemas": _schemas},
    }
