"""The base classes of forms, and fields for phone numbers and moments."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import current_app, flash, request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import DateField, DateTimeLocalField, FileField, IntegerField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from lms.core import fonts
from lms.core.db import LARGEST_ID
from lms.core.names import clean, norm
from lms.core.phones import normalise_phone

# Days on which anything here can happen: people are born, trained and certified.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


class Form(FlaskForm):
    """The parent of every form. `form_errors` holds errors that belong to no field.

    names_missing_glyphs: False where the page that follows says itself that a name cannot be printed.
    """

    names_missing_glyphs = True

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Validate the fields, and say at once when no font has a character of a text that a certificate prints.

        That refuses nothing: a name is what it is.
        """
        valid: bool = super().validate(*args, **kwargs)
        for field in self if valid and self.names_missing_glyphs else ():
            if isinstance(field, PrintedField) and field.printed:
                characters = fonts.unprintable(field.data or "")
                if characters:
                    flash(
                        _(
                            "No font of the certificate has %(characters)s. The text is stored as it is; a certificate that"
                            " prints it waits until another font or another writing is decided.",
                            characters=fonts.named(characters),
                        ),
                        "warning",
                    )
        return valid

    class Meta(FlaskForm.Meta):
        """Options of Flask-WTF: a form reads forms and never JSON, which could be of any shape."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """The fields that were sent, and the files for fields of files; none where JSON was sent.

            A file that is sent for any other field would become its text, and no validator expects that.
            """
            if request and request.is_json and formdata is not None and not hasattr(formdata, "getlist"):
                return MultiDict()
            data = super().wrap_formdata(form, formdata)
            if not isinstance(data, CombinedMultiDict):
                return data
            names = {field.name for field in form if isinstance(field, FileField)}
            files = MultiDict(pair for pair in request.files.items(multi=True) if pair[0] in names)
            return CombinedMultiDict((files, request.form))


class QueryForm(Form):
    """A form that only reads, such as the filters of a list. It needs no CSRF token, and so no cookie.

    What a field does not accept filters nothing: its `data` is its default again, beside the error that it shows.
    """

    class Meta(Form.Meta):
        """Options of Flask-WTF."""

        csrf = False

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Validate the fields. A field with an error gets its default, so that no query meets what was refused."""
        valid: bool = super().validate(*args, **kwargs)
        for field in self:
            if field.errors:
                field.data = field.default() if callable(field.default) else field.default
        return valid


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


class WorkPhoneField(StringField):
    """A phone number at work, shown to the public as it is typed: with area code and extension, "010-6400 0000 转 12"."""

    data: str | None
    _FORM = re.compile(r"[+(]?[0-9][0-9() -]{3,28}[0-9](?:\s?(?:转|ext\.?|x)\s?[0-9]{1,6})?", re.IGNORECASE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"inputmode": "tel", "autocomplete": "off", "maxlength": 40})
        kwargs.setdefault("filters", [strip])
        super().__init__(*args, **kwargs)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002  # WTForms passes it
        """Refuse a text that nobody can call. An empty text is left to the other validators."""
        if not self.data:
            return
        self.data = " ".join(unicodedata.normalize("NFKC", self.data).split())
        if not self._FORM.fullmatch(self.data):
            raise ValidationError(_("This is not a phone number. For example: 010-6400 0000 ext. 12"))


class PrintedField(StringField):
    """A text that a certificate prints. The form says when no font has a character of it.

    printed: False for a field of this kind whose text no certificate prints, or whose rule refuses what cannot be printed.
    """

    def __init__(self, *args: Any, printed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.printed = printed


class PersonNameField(PrintedField):
    """The name of a person, as it is stored: without what one does not see (`lms.core.names.clean`).

    A name that shows nothing is an empty one.
    """

    data: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Clean the name that was typed."""
        name = clean(valuelist[0]) if valuelist else ""
        self.data = name if norm(name) else ""


class RowIdField(IntegerField):
    """The id of a row. A number that no id can be is refused."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the id."""
        super().process_formdata(valuelist)
        number: int | None = self.data
        if number is not None and not 1 <= number <= LARGEST_ID:
            self.data = None
            raise ValueError(_("Choose again."))


class DayField(DateField):
    """A day from `FIRST_DAY` to `LAST_DAY`."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day. One that cannot be meant is refused, because arithmetic on it would fail."""
        super().process_formdata(valuelist)
        day: date | None = self.data
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            self.data = None
            raise ValueError(_("Choose a day between 1900 and 2199."))


class MomentField(DateTimeLocalField):
    """A date and time in the branch's time zone. `data` is an aware datetime."""

    data: datetime | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the local time as an aware datetime."""
        super().process_formdata(valuelist)
        if isinstance(self.data, datetime):
            if not FIRST_DAY <= self.data.date() <= LAST_DAY:
                self.data = None
                raise ValueError(_("Choose a day between 1900 and 2199."))
            self.data = self.data.replace(tzinfo=current_app.config["SETTINGS"].zone)

    def process_data(self, value: Any) -> None:
        """Show a stored moment in the branch's time zone."""
        zone = current_app.config["SETTINGS"].zone
        self.data = value.astimezone(zone) if isinstance(value, datetime) else value
