"""Forms of imports."""

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
    """Why a whole import is taken back."""

    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Give a reason.")), Length(max=REASON_LIMIT)]
    )


class ColumnsForm(Form):
    """Which column of a file holds which field; a field is made for each, see `columns_form`."""

    def mapping(self) -> dict[str, int]:
        """Field → column of the file, from 0."""
        fields = {field.name.removeprefix(PREFIX): field.data for field in self if field.name.startswith(PREFIX)}
        return {name: at for name, at in fields.items() if at != NONE}


def columns_form(
    columns: Sequence[Column], headings: Sequence[str], chosen: dict[str, int], *, chinese: bool
) -> ColumnsForm:
    """A select for each field."""
    found = [(at, text or gettext("Column %(number)s", number=at + 1)) for at, text in enumerate(headings)]
    options = choices([(NONE, gettext("(none)")), *found])
    fields = {
        PREFIX + column.name: SelectField(heading(column, chinese=chinese), choices=options, coerce=int)
        for column in columns
    }
    kind = type("_Columns", (ColumnsForm,), fields)
    made: ColumnsForm = kind(data={PREFIX + name: chosen.get(name, NONE) for name in (one.name for one in columns)})
    return made
