"""Refusals of a rule on the form that was sent."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from wtforms import StringField

from lms.core.errors import DomainError
from lms.core.form_errors import refused_on
from lms.core.forms import Form
from lms.core.request_db import db


class NameForm(Form):
    name = StringField()


@pytest.mark.parametrize(
    ("field", "on_field", "on_form"),
    [("name", ["It is taken."], []), ("other", [], ["It is taken."]), (None, [], ["It is taken."])],
)
def test_a_refusal_is_put_on_the_field_that_it_names_else_on_the_form(
    app: Flask, field: str | None, on_field: list[str], on_form: list[str]
) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        form = NameForm()
        with refused_on(form):
            raise DomainError("taken", "It is taken.", field=field)
        assert list(form.name.errors) == on_field
        assert list(form.form_errors) == on_form


def test_the_work_of_a_rule_that_refuses_is_undone_and_what_was_before_stays(app: Flask) -> None:
    count = text("SELECT count(*) FROM counted")
    with app.test_request_context():
        db().execute(text("CREATE TEMPORARY TABLE counted (number int)"))
        db().execute(text("INSERT INTO counted VALUES (1)"))
        with refused_on(NameForm()):
            db().execute(text("INSERT INTO counted VALUES (2)"))
            raise DomainError("full", "The class is full.")
        assert db().scalar(count) == 1


def test_a_constraint_that_nobody_registered_is_raised(app: Flask) -> None:
    table = text("CREATE TEMPORARY TABLE checked (number int CONSTRAINT unregistered CHECK (number > 0))")

    def write() -> None:
        with refused_on(NameForm()):
            db().execute(table)
            db().execute(text("INSERT INTO checked VALUES (0)"))

    with app.test_request_context(), pytest.raises(IntegrityError, match="unregistered"):
        write()
