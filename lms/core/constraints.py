"""The database's refusals in words: which constraint means what to a person."""

from sqlalchemy.exc import IntegrityError

from lms.core.errors import DomainError

_refusals: dict[str, tuple[str, str]] = {}


def means(constraint: str, code: str, message: str) -> None:
    """Say what breaking a named constraint means; `message` is a msgid marked with `N_`."""
    _refusals[constraint] = (code, message)


def refusal(error: IntegrityError) -> DomainError | None:
    """The refusal that a broken constraint stands for, or None when it is a fault of ours."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name not in _refusals:
        return None
    code, message = _refusals[name]
    return DomainError(code, message)
