"""Fields that many forms share."""

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from flask import Flask, get_flashed_messages
from flask_wtf.file import FileField
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.validators import DataRequired

from lms.core.forms import (
    DayField,
    Form,
    MomentField,
    PersonNameField,
    PhoneField,
    PrintedField,
    QueryForm,
    RowIdField,
    choices,
    strip,
)


class MeetingForm(Form):
    phone = PhoneField()
    starts_at = MomentField(format="%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("typed", "data"), [(" 138 1234 5678 ", "+8613812345678"), ("+49 30 901820", "+4930901820"), ("  ", None)]
)
def test_a_phone_is_e164(app: Flask, typed: str, data: str | None) -> None:
    with app.test_request_context(method="POST", data={"phone": typed, "starts_at": "2025-06-01T08:30"}):
        form = MeetingForm()
        assert form.validate()
        assert form.phone.data == data


def test_what_is_no_phone_is_refused(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"phone": "12", "starts_at": "2025-06-01T08:30"}):
        form = MeetingForm()
        assert not form.validate()
        assert form.phone.errors


def test_a_moment_is_typed_and_shown_in_the_branch_s_time_zone(app: Flask) -> None:
    moment = datetime(2025, 6, 1, 0, 30, tzinfo=UTC)
    with app.test_request_context(method="POST", data={"starts_at": "2025-06-01T08:30"}):
        assert MeetingForm().starts_at.data == moment
    with app.test_request_context():
        assert 'value="2025-06-01T08:30"' in str(MeetingForm(data={"starts_at": moment}).starts_at())


def test_a_form_that_only_reads_has_no_csrf_token(app: Flask) -> None:
    with app.test_request_context():
        assert "csrf_token" not in QueryForm()


def test_small_parts() -> None:
    assert [strip(value) for value in (" a ", "  ", None, 7)] == ["a", None, None, 7]
    assert [(choice.value, choice.label) for choice in choices([(1, "one")])] == [(1, "one")]


class DayForm(QueryForm):
    day = DayField()
    row = RowIdField()


@pytest.mark.parametrize("typed", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "x"])
def test_a_day_that_cannot_be_meant_filters_nothing(app: Flask, typed: str) -> None:
    with app.test_request_context():
        form = DayForm(MultiDict({"day": typed, "row": "1"}))
        assert not form.validate()
        assert form.day.data is None
        assert form.day.errors


@pytest.mark.parametrize("typed", ["0", "-1", "9223372036854775808"])
def test_a_row_that_cannot_be_is_refused(app: Flask, typed: str) -> None:
    with app.test_request_context():
        form = DayForm(MultiDict({"day": "2026-01-01", "row": typed}))
        assert not form.validate()
        assert form.row.data is None


def test_the_ends_of_the_range_are_read(app: Flask) -> None:
    with app.test_request_context():
        form = DayForm(MultiDict({"day": "2199-12-31", "row": "9223372036854775807"}))
        assert form.validate()
        assert (form.day.data, form.row.data) == (date(2199, 12, 31), 2**63 - 1)


def test_a_form_reads_no_json(app: Flask) -> None:
    with app.test_request_context(method="POST", json=["phone"]):
        assert MeetingForm().phone.data is None


def test_a_file_that_is_sent_for_a_text_is_none(app: Flask) -> None:
    class Sent(Form):
        name = StringField()
        file = FileField()

    data = {"name": (BytesIO(b"x"), "x.csv"), "file": (BytesIO(b"y"), "y.csv")}
    with app.test_request_context(method="POST", data=data):
        form = Sent()
        assert form.validate()
        assert not form.name.data
        assert form.file.data.read() == b"y"


class PersonForm(Form):
    name = PersonNameField(validators=[DataRequired()])


@pytest.mark.parametrize(("typed", "data"), [(" 张\u200b三 ", "张三"), ("O´Brien", "O’Brien")])
def test_a_persons_name_is_stored_as_one_sees_it(app: Flask, typed: str, data: str) -> None:
    with app.test_request_context(method="POST", data={"name": typed}):
        form = PersonForm()
        assert form.validate()
        assert form.name.data == data


@pytest.mark.parametrize("typed", ["", " ", "\u3164", "\u200b\ufeff", "\u2800\u202e", "·", "\ufe0f"])
def test_a_name_that_shows_nothing_is_no_name(app: Flask, typed: str) -> None:
    with app.test_request_context(method="POST", data={"name": typed}):
        assert not PersonForm().validate()


class NamesForm(Form):
    name = PersonNameField()
    course = PrintedField()
    guardian = PersonNameField(printed=False)


class SilentForm(NamesForm):
    names_missing_glyphs = False


@pytest.mark.parametrize(
    ("form", "field", "messages"),
    [(NamesForm, "name", 1), (NamesForm, "course", 1), (NamesForm, "guardian", 0), (SilentForm, "name", 0)],
)
def test_a_text_that_a_certificate_prints_is_told_when_no_font_has_a_character(
    app: Flask, form: type[Form], field: str, messages: int
) -> None:
    with app.test_request_context(method="POST", data={field: "王\ue5e5"}):
        assert form().validate()
        told = get_flashed_messages()
    assert len(told) == messages
    assert all("U+E5E5" in message for message in told)
