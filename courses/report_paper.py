"""A report as a PDF: the branch's head, the question, the figures, the counting rule, and the day it was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

import typst

from lms.core import typesetting
from lms.core.errors import N_, DomainError

_TEMPLATE = Path(__file__).parent / "document" / "report.typ"
_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]
ROWS = 2000
# One compiler serves one caller at a time, and web threads may ask together.
_compiling = Lock()


@dataclass(frozen=True)
class ReportDocument:
    """What the paper says, in the reader's language. Each row and the total have as many cells as there are columns.

    language: "zh" or "en", for the document's own mark. made: the line at the foot.
    """

    organisation: str
    title: str
    language: str
    question: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str]
    notes: Sequence[str]
    rule_title: str
    rule: Sequence[str]
    made: str


def pdf(document: ReportDocument, *, now: datetime) -> bytes:
    """Set the document. Raises DomainError for more rows than paper serves, or a character that the font lacks."""
    if len(document.rows) > ROWS:
        raise DomainError(
            "report_too_long",
            N_("This report has %(rows)s rows, too many for paper. Narrow it, or take the spreadsheet."),
            status=422,
            rows=len(document.rows),
        )
    facts = json.dumps(asdict(document), ensure_ascii=False)
    try:
        with _compiling:
            made = _compiler().compile(
                sys_inputs={"facts": facts}, timestamp=int(now.timestamp()), format="pdf", pdf_standards=_STANDARDS
            )
    except typst.TypstError as error:
        if "could not be displayed" in error.message:
            raise DomainError(
                "report_glyph_missing",
                N_("The report cannot be set: the font lacks a character of a name. Take the spreadsheet."),
                status=422,
            ) from error
        raise
    if not isinstance(made, bytes):
        raise TypeError("typst made no single document of a report")
    return made


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=typesetting.fonts())
