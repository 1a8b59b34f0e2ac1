"""Tables of reports, sent as files."""

import io
import tempfile
from collections.abc import Mapping

from flask import Response, send_file

from courses.reports import exporting
from lms.core.exports import MEDIA_TYPES, Format, Sheet, write
from lms.core.web import db

IN_MEMORY = 4 * 1024 * 1024  # bytes of a file


def exported(sheet: Sheet, form: str, *, report: str, name: str, asked: Mapping[str, str]) -> Response:
    """Send a table and leave its audit entry.

    report: what the entry calls it; name: what the file is called, without the extension; asked: as in an address.
    """
    answer, rows = _sent(sheet, Format(form), name)
    exporting.note(db(), report, asked, form, rows)
    return answer


def _sent(sheet: Sheet, form: Format, name: str) -> tuple[Response, int]:
    """Write a table and send it, from disk where it is large, so that memory stays flat. Also gives the number of rows."""
    download = f"{name}.{form.value}"
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # a large one is closed when it was sent
    rows = write(sheet, form, file)
    size = file.tell()
    file.seek(0)
    if size > IN_MEMORY:
        answer = send_file(file, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download)
        answer.call_on_close(file.close)
        return answer, rows
    with file:
        return send_file(
            io.BytesIO(file.read()), mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download
        ), rows
