"""The form that uploads a file in which a device saved the events that it could not send."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired

from lms.core.forms import Form


class SavedFileForm(Form):
    """The upload of one saved file."""

    file = FileField(
        _("Saved file"),
        validators=[FileRequired(_("Choose a file."))],
        render_kw={"accept": ".json,application/json"},
    )
