"""Refusals of a rule, shown on the form that was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from lms.core.constraints import refusal_of
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.forms import Form
from lms.core.request_db import db


@contextmanager
def refused_on(form: Form) -> Iterator[None]:
    """Run a rule within a savepoint. If the rule refuses, roll back to the savepoint and put the message on the form.

    The message goes to the field that the error names, else to `form_errors`.
    """
    try:
        with db().begin_nested():
            yield
    except DomainError as error:
        _add_to(form, error)
    except IntegrityError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        _add_to(form, refusal)


def _add_to(form: Form, error: DomainError) -> None:
    message = message_of(error)
    if error.field is not None and error.field in form:
        form[error.field].errors = [*form[error.field].errors, message]
    else:
        form.form_errors.append(message)
