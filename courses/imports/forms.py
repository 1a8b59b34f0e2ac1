"""Forms of imports: the file, the sheet, the columns, the meanings of values, and the reason for an undo."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import BooleanField, Field, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from courses.enrolment.forms.trainees import REASON_LIMIT
from courses.imports import labels, presence_values
from courses.imports.kinds import Column
from courses.imports.known_values import Target, UnknownValue, Vocabulary
from courses.imports.presence_values import VALUES_SHOWN, Value
from courses.imports.preview import heading, masked
from courses.imports.sheets import Outline
from lms.core.forms import Form, choices, strip

NONE = -1
PREFIX = "column-"
MEANING_PREFIX = "meaning-"
VALUE_PREFIX = "value-"


class ImportFileForm(Form):
    """A file to import."""

    file = FileField(
        _("Spreadsheet (XLSX or CSV)"),
        validators=[
            FileRequired(_("Choose a file.")),
            FileAllowed(
                ["xlsx", "csv", "txt"], _("Only XLSX and CSV files can be read. Save the file as one of them.")
            ),
        ],
        render_kw={"accept": ".xlsx,.csv,.txt"},
    )


class UndoForm(Form):
    """The reason for the undo of an import."""

    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)]
    )


class OverlapsForm(Form):
    """The reason for importing figures that overlap with existing ones."""

    reason = StringField(
        _("Why is this not counted twice?"),
        filters=[strip],
        validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)],
    )


class SheetForm(Form):
    """The sheet to read; `sheet_form` gives the choices."""

    sheet = RadioField(_("Sheet"), validators=[DataRequired(_("Choose a sheet."))])
    hidden = BooleanField(_("Also read the hidden rows and columns"))


def sheet_form(outlines: Sequence[Outline], name: str | None, *, hidden: bool) -> SheetForm:
    """Return the form with the sheets of a file; `name` is the one that is read now."""
    form = SheetForm(data={"sheet": name, "hidden": hidden})
    form.sheet.choices = [(outline.name, outline.name) for outline in outlines]
    return form


class MeaningsForm(Form):
    """The meanings of values of the column of presence; `meanings_form` makes a select for each value."""

    values: Sequence[Value] = ()

    def meanings(self) -> dict[str, str]:
        """Return key → meaning of the values that were on the page, "" where the user left the value as it is."""
        sent = {
            field.name.removeprefix(MEANING_PREFIX): field.data or ""
            for field in self
            if field.name.startswith(MEANING_PREFIX) and field.raw_data
        }
        return presence_values.meanings(self.values, sent)


class ColumnsForm(MeaningsForm):
    """The column of the file for each field of a kind; `columns_form` makes a select for each field."""

    def mapping(self) -> dict[str, int]:
        """Return field → index of the column, counted from 0, without fields that have no column."""
        fields = {field.name.removeprefix(PREFIX): field.data for field in self if field.name.startswith(PREFIX)}
        return {name: at for name, at in fields.items() if at != NONE}


def meanings_form(values: Sequence[Value], chosen: Mapping[str, str]) -> MeaningsForm:
    """Return a form with one select for each value. `chosen`: key → meaning that is selected first."""
    listed = assignable(values)
    form_class = type("_Meanings", (MeaningsForm,), {"values": listed, **_meaning_fields(listed)})
    form: MeaningsForm = form_class(data=_meaning_data(listed, chosen))
    return form


class KnownValuesForm(Form):
    """The form of values that the system does not know; `known_values_form` makes a select for each value."""

    def chosen(self) -> dict[str, str]:
        """Return digest of the value → code of what it stands for, of those values that the user chose for."""
        fields = {
            field.name.removeprefix(VALUE_PREFIX): field.data for field in self if field.name.startswith(VALUE_PREFIX)
        }
        return {digest: code for digest, code in fields.items() if code}


def matchable(values: Sequence[UnknownValue]) -> list[UnknownValue]:
    """Return the values that may be matched: not those that hold a long number, which is masked."""
    return [value for value in values if masked(value.text) == value.text]


def known_values_form(
    values: Sequence[UnknownValue], targets: Mapping[str, Sequence[Target]], *, chinese: bool
) -> KnownValuesForm:
    """Return a form with one select for each value. targets: digest → what the value may stand for, the closest first."""
    fields = {
        VALUE_PREFIX + value.digest: SelectField(
            value.text,
            choices=choices(
                [
                    ("", gettext("(refuse these rows)")),
                    *(
                        (target.code, labels.target(value.vocabulary, target, chinese=chinese))
                        for target in targets[value.digest]
                    ),
                    *(labels.new_hosts() if value.vocabulary is Vocabulary.HOST else ()),
                ]
            ),
        )
        for value in values
    }
    form: KnownValuesForm = type("_KnownValues", (KnownValuesForm,), fields)()
    return form


def assignable(values: Sequence[Value]) -> list[Value]:
    """Return the listed values that may get a meaning: not those that hold a long number, which is masked, or are cut."""
    return [
        value
        for value in values[:VALUES_SHOWN]
        if masked(value.text) == value.text and len(value.text) <= presence_values.VALUE_LENGTH
    ]


def _meaning_fields(values: Sequence[Value]) -> dict[str, Field]:
    return {
        MEANING_PREFIX + value.digest: SelectField(
            value.text or gettext("(empty)"),
            choices=choices(
                [
                    ("", labels.meaning(value.meaning)),
                    *((name, labels.meaning(name)) for name in presence_values.MEANINGS if name != value.meaning),
                ]
            ),
        )
        for value in values
    }


def _meaning_data(values: Sequence[Value], chosen: Mapping[str, str]) -> dict[str, str]:
    return {
        MEANING_PREFIX + value.digest: "" if chosen.get(value.key) == value.meaning else chosen.get(value.key, "")
        for value in values
    }


def columns_form(  # the columns, then the values
    columns: Sequence[Column],
    headings: Sequence[str],
    chosen: Mapping[str, int],
    values: Sequence[Value] = (),
    meanings: Mapping[str, str] | None = None,
    *,
    chinese: bool,
) -> ColumnsForm:
    """Return a form with one select for each field of a kind, and one for each value of the column of presence.

    chosen: the columns that are selected first, and `meanings` the meanings.
    """
    headed = [(at, text or gettext("Column %(number)s", number=at + 1)) for at, text in enumerate(headings)]
    options = choices([(NONE, gettext("(none)")), *headed])
    fields = {
        PREFIX + column.name: SelectField(heading(column, chinese=chinese), choices=options, coerce=int)
        for column in columns
    }
    listed = assignable(values)
    form_class = type("_Columns", (ColumnsForm,), {"values": listed, **fields, **_meaning_fields(listed)})
    form: ColumnsForm = form_class(
        data={
            **{PREFIX + column.name: chosen.get(column.name, NONE) for column in columns},
            **_meaning_data(listed, meanings or {}),
        }
    )
    return form
