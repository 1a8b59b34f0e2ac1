"""Forms of imports: the file, the columns, and the reason for an undo."""

from collections.abc import Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from courses.enrolment.forms.trainees import REASON_LIMIT
from courses.imports.kinds import Column
from courses.imports.preview import heading
from lms.core.forms import Form, choices, strip

NONE = -1
PREFIX = "column-"


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


class ColumnsForm(Form):
    """The column of the file for each field of a kind; `columns_form` makes a select for each field."""

    def mapping(self) -> dict[str, int]:
        """Return field → index of the column, counted from 0, without fields that have no column."""
        fields = {field.name.removeprefix(PREFIX): field.data for field in self if field.name.startswith(PREFIX)}
        return {name: at for name, at in fields.items() if at != NONE}


def columns_form(
    columns: Sequence[Column], headings: Sequence[str], chosen: dict[str, int], *, chinese: bool
) -> ColumnsForm:
    """Return a form with one select for each field of a kind; `chosen` has the columns that are selected first."""
    headed = [(at, text or gettext("Column %(number)s", number=at + 1)) for at, text in enumerate(headings)]
    options = choices([(NONE, gettext("(none)")), *headed])
    fields = {
        PREFIX + column.name: SelectField(heading(column, chinese=chinese), choices=options, coerce=int)
        for column in columns
    }
    form_class = type("_Columns", (ColumnsForm,), fields)
    form: ColumnsForm = form_class(data={PREFIX + column.name: chosen.get(column.name, NONE) for column in columns})
    return form
