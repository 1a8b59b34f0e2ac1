"""Tables of the report pages, sent as CSV, XLSX or Parquet with an entry in the audit.

The table of the enrolment report is made by `courses.reports.labels.enrolment.report_sheet`. Rows beneath a report,
which may be a million, are exported by `courses.reports.exports`.
"""

import io
import tempfile
from collections.abc import Mapping

from flask import Response, request, send_file

from courses.reports import export_audit
from lms.core.exports import MEDIA_TYPES, Format, Sheet, write
from lms.core.request_db import db

IN_MEMORY = 4 * 1024 * 1024  # bytes of a file; a larger one is written to disk


def send_sheet(sheet: Sheet, form: str, *, report: str, name: str, arguments: Mapping[str, str]) -> Response:
    """Send a table as a file and write the audit entry.

    form: the extension of the file. report: the name in the audit entry. name: of the file, without the extension.
    arguments: the query arguments that the table was asked for with. `plain` in the address asks for a CSV file of one
    heading line and the rows alone.
    """
    answer, rows = _response(sheet, Format(form), name)
    export_audit.record_export(db(), report, arguments, form, rows)
    return answer


def _response(sheet: Sheet, form: Format, name: str) -> tuple[Response, int]:
    """The response with the file, and the number of rows. A large file is sent from disk, so that memory stays flat."""
    download_name = f"{name}-data.csv" if form is Format.CSV and "plain" in request.args else f"{name}.{form.value}"
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # a large one is closed when it was sent
    rows = write(sheet, form, file, data_only="plain" in request.args)
    size = file.tell()
    file.seek(0)
    if size > IN_MEMORY:
        answer = send_file(file, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download_name)
        answer.call_on_close(file.close)
        return answer, rows
    with file:
        content = io.BytesIO(file.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download_name), rows
