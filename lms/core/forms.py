"""The base classes of forms, and fields for phone numbers and moments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from lms.core.phones import normalise_phone


class Form(FlaskForm):
    """The parent of every form. `form_errors` holds errors that belong to no field."""


class QueryForm(Form):
    """A form that only reads, such as the filters of a list. It needs no CSRF token, and so no cookie."""

    class Meta:
        """Options of Flask-WTF."""

        csrf = False


def strip(value: Any) -> Any:
    """A WTForms filter: text without surrounding spaces; an empty text becomes None."""
    return (value.strip() or None) if isinstance(value, str) else value


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """The choices of a select field, from pairs of value and label."""
    return [SelectChoice(value, label) for value, label in pairs]


class PhoneField(StringField):
    """A phone number. After validation `data` is in E.164."""

    data: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"inputmode": "tel", "autocomplete": "tel"})
        kwargs.setdefault("filters", [strip])
        super().__init__(*args, **kwargs)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002  # WTForms passes it
        """Refuse a text that is no phone number. An empty text is left to the other validators."""
        if not self.data:
            return
        try:
            self.data = normalise_phone(self.data)
        except ValueError:
            raise ValidationError(
                _("This is not a phone number. Enter 11 digits, or + and the country code for a foreign number.")
            ) from None


class MomentField(DateTimeLocalField):
    """A date and time in the branch's time zone. `data` is an aware datetime."""

    data: datetime | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the local time as an aware datetime."""
        super().process_formdata(valuelist)
        if isinstance(self.data, datetime):
            self.data = self.data.replace(tzinfo=current_app.config["SETTINGS"].zone)

    def process_data(self, value: Any) -> None:
        """Show a stored moment in the branch's time zone."""
        zone = current_app.config["SETTINGS"].zone
        self.data = value.astimezone(zone) if isinstance(value, datetime) else value
