"""The file in which a device saved what it could not send."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired

from lms.core.forms import Form


class SavedFileForm(Form):
    """One saved file."""

    file = FileField(
        _("Saved file"),
        validators=[FileRequired(_("Choose a file."))],
        render_kw={"accept": ".json,application/json"},
    )
