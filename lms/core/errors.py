"""Errors that a user can cause, each with a code for programs and a message for people (see `lms.core.error_pages`)."""

from typing import Any


def N_(message: str) -> str:  # gettext's own name for "mark, translate later"
    """Mark a message for translation. It is translated into the reader's language when it is shown."""
    return message


class DomainError(Exception):
    """The refusal of a rule. `message` is an English msgid marked with `N_`; `params` are the values of its `%(name)s`.

    `status` is the HTTP status of the response. `field` names the form field that is wrong, if there is one.
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
    """No such row, or none that this user may see. Both have the same response."""

    status = 404

    def __init__(
        self,
        code: str = "not_found",
        message: str = N_("This page does not exist, or you may not see it."),
        **params: Any,
    ) -> None:
        super().__init__(code, message, **params)


class Denied(DomainError):
    """The user is signed in and may not do this."""

    status = 403

    def __init__(
        self,
        code: str = "denied",
        message: str = N_("Your role does not allow this. Ask an administrator if you need it."),
        **params: Any,
    ) -> None:
        super().__init__(code, message, **params)
