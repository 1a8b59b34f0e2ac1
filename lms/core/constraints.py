"""Messages for broken database constraints, by the constraint's name."""

from sqlalchemy.exc import IntegrityError

from lms.core.errors import DomainError

_refusals: dict[str, tuple[str, str]] = {}


def register_refusal(constraint: str, code: str, message: str) -> None:
    """Set the code and the message for a constraint. message: an English msgid marked with `N_`."""
    _refusals[constraint] = (code, message)


def refusal_of(error: IntegrityError) -> DomainError | None:
    """The registered refusal of the broken constraint. None where there is none: then the error is a defect."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name not in _refusals:
        return None
    code, message = _refusals[name]
    return DomainError(code, message)
