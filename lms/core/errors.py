"""Errors that a user can cause. Each has a code for programs and a message for people, and becomes HTTP in one place (web)."""

from typing import Any


def N_(message: str) -> str:  # gettext's own name for "mark, translate later"
    """Mark a message for translation; the edge translates it for whoever reads it."""
    return message


class DomainError(Exception):
    """A rule refused. `message` is an English msgid marked with `N_`; `params` fill its `%(name)s` places.

    `status` is the HTTP status that the edge answers with; `field` names the form field at fault, if one is.
    """

    status = 409

    def __init__(
        self, code: str, message: str, *, status: int | None = None, field: str | None = None, **params: Any
    ) -> None:
        super().__init__(message % params if params else message)
        self.code = code
        self.message = message
        self.params = params
        self.field = field
        if status is not None:
            self.status = status


class NotFound(DomainError):
    """No such row, or none that this person may see: both look the same from outside."""

    status = 404

    def __init__(
        self,
        code: str = "not_found",
        message: str = N_("This page does not exist, or you may not see it."),
        **params: Any,
    ) -> None:
        super().__init__(code, message, **params)


class Denied(DomainError):
    """The person is known and may not do this."""

    status = 403

    def __init__(
        self,
        code: str = "denied",
        message: str = N_("Your role does not allow this. Ask an administrator if you need it."),
        **params: Any,
    ) -> None:
        super().__init__(code, message, **params)
