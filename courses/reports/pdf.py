"""The enrolment report as a PDF: the question, the figures, the counting rule, and when it was made."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from lms.core import typesetting
from lms.core.errors import N_, DomainError

_TEMPLATE = typesetting.Template(Path(__file__).parent / "document" / "report.typ")
MAX_ROWS = 2000


@dataclass(frozen=True)
class ReportDocument:
    """The content of the document, in the reader's language.

    question: the filters as (label, value). Each row and the total have as many cells as there are columns; so has the
    branch's sum, which is empty where the total is the branch's. language: "zh" or "en". made: the line in the footer.
    totals: (label, figure, notes beneath it). picture: an SVG image, empty where there is nothing to draw; its caption
    stands above it, and its description is for screen readers.
    """

    organisation: str
    title: str
    language: str
    question: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str]
    branch: Sequence[str]
    notes: Sequence[str]
    rule_title: str
    rule: Sequence[str]
    made: str
    totals: Sequence[tuple[str, str, Sequence[str]]] = ()
    picture: str = ""
    picture_caption: str = ""
    picture_description: str = ""


def render(document: ReportDocument, *, now: datetime) -> bytes:
    """Set the document in type.

    A character that no font has is printed as its code point. Raises DomainError `report_too_long` for more than
    `MAX_ROWS` rows.
    """
    if len(document.rows) > MAX_ROWS:
        raise DomainError(
            "report_too_long",
            N_("This report has too many rows to print: %(rows)s. Reduce it, or export the spreadsheet."),
            status=422,
            rows=len(document.rows),
        )
    return _TEMPLATE.pdf(asdict(document), now)
