"""What every form shares: CSRF, messages in the reader's language, and fields for phones and moments."""

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
    """The parent of every form. `form_errors` holds what a rule refused as a whole."""


class QueryForm(Form):
    """A form that asks and changes nothing, as what narrows a list: it needs no token, and no cookie for one."""

    class Meta:
        """No token."""

        csrf = False


def strip(value: Any) -> Any:
    """A filter: text without the spaces around it; an empty one becomes None."""
    return (value.strip() or None) if isinstance(value, str) else value


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """A select field's choices from pairs of value and label; WTForms takes bare pairs no more."""
    return [SelectChoice(value, label) for value, label in pairs]


class PhoneField(StringField):
    """A phone number; `data` is E.164 once valid."""

    data: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"inputmode": "tel", "autocomplete": "tel"})
        kwargs.setdefault("filters", [strip])
        super().__init__(*args, **kwargs)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002  # WTForms passes it
        """Refuse what is not a phone number; leave an empty one to the other validators."""
        if not self.data:
            return
        try:
            self.data = normalise_phone(self.data)
        except ValueError:
            raise ValidationError(
                _("This is not a phone number. Give 11 digits, or + and the country code for a foreign one.")
            ) from None


class MomentField(DateTimeLocalField):
    """A day and time as the branch's clock shows it; `data` is an aware moment."""

    data: datetime | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read local time, keep an aware moment."""
        super().process_formdata(valuelist)
        if isinstance(self.data, datetime):
            self.data = self.data.replace(tzinfo=current_app.config["SETTINGS"].zone)

    def process_data(self, value: Any) -> None:
        """Show a stored moment in local time."""
        zone = current_app.config["SETTINGS"].zone
        self.data = value.astimezone(zone) if isinstance(value, datetime) else value
