"""Tables as answers of requests: written at once, and sent as a file."""

import io
import tempfile

from flask import Response, request, send_file

from lms.core.exports import MEDIA_TYPES, Format, Sheet, write

IN_MEMORY = 4 * 1024 * 1024  # bytes of a file; a larger one is written to disk


def of_sheet(sheet: Sheet, form: Format, name: str) -> tuple[Response, int]:
    """The response with the file, and the number of rows. A large file is sent from disk, so that memory stays flat.

    name: of the file, without the extension. `plain` in the address asks for a CSV file of one heading line and the rows
    alone.
    """
    plain = form is Format.CSV and "plain" in request.args
    download_name = f"{name}-data.csv" if plain else f"{name}.{form.value}"
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # a large one is closed when it was sent
    rows = write(sheet, form, file, data_only=plain)
    size = file.tell()
    file.seek(0)
    if size > IN_MEMORY:
        answer = send_file(file, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download_name)
        answer.call_on_close(file.close)
        return answer, rows
    with file:
        content = io.BytesIO(file.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=download_name), rows
