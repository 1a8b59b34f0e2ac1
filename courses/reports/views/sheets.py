"""Tables of the report pages, sent as CSV, XLSX or Parquet with an entry in the audit.

The table of the enrolment report is made by `courses.reports.labels.enrolment.report_sheet`. Rows beneath a report,
which may be a million, are exported by `courses.reports.exports`.
"""

from collections.abc import Mapping

from flask import Response

from courses.reports import export_audit
from lms.core import file_answers
from lms.core.exports import Format, Sheet
from lms.core.request_db import db


def send_sheet(sheet: Sheet, form: str, *, report: str, name: str, arguments: Mapping[str, str]) -> Response:
    """Send a table as a file and write the audit entry.

    form: the extension of the file. report: the name in the audit entry. name: of the file, without the extension.
    arguments: the query arguments that the table was asked for with.
    """
    answer, rows = file_answers.of_sheet(sheet, Format(form), name)
    export_audit.record_export(db(), report, arguments, form, rows)
    return answer
