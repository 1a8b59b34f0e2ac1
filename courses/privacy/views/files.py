"""The file with everything about a person, as an answer that no cache keeps."""

from flask import Response, render_template

from courses.models.trainees import Trainee
from courses.privacy import data_export, labels
from lms.core import audit_labels
from lms.core.request_db import db


def answer(trainee: Trainee, *, reason: str | None) -> Response:
    """The ZIP of a person, in the reader's language. reason: of the staff who ask; None where the person asks."""
    export = data_export.collect(db(), trainee, reason=reason)
    known = dict(audit_labels.registered().fields) | labels.FIELDS
    page = render_template("personal_data/export.html", export=export, fields=known, bases=labels.BASES)
    response = Response(data_export.zipped(export, page), mimetype="application/zip")
    response.headers["Content-Disposition"] = "attachment; filename=personal-data.zip"
    response.headers["Cache-Control"] = "no-store"
    return response
