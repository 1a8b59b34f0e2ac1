"""`python -m benchmarks.merged [number]`: certificates as one PDF and as a ZIP, 10,000 unless told, and the memory that takes.

Every certificate is read from the database, set by typst and written to a file, as a download is. Exit 1 at 400 MB or more.
"""

import resource
import sys
from pathlib import Path
from time import perf_counter

import pypdfium2

from benchmarks.owed import owe
from benchmarks.stage import Stage, stage
from certificates import issuing, printing
from certificates.branch import Branch
from certificates.printing import PrintFormat, PrintSelection
from lms.core.scope import EVERYTHING
from lms.core.transactions import transaction

NUMBER = 10_000
CEILING = 400.0
KIB = 1024


def main(number: int) -> int:
    """Owe, issue, print both ways; the exit code."""
    with stage() as set_stage:
        branch = Branch.of(set_stage.app.config["SETTINGS"])
        owe(set_stage.app, number)
        issued = 0
        while issued < number:
            with transaction(set_stage.app.extensions["sessions"]) as db:
                issued += issuing.issue_owed(db, branch)
        before = _peak()
        print(f"memory before printing, at its peak {before:>30.0f} MB")
        for form in (PrintFormat.PDF, PrintFormat.ZIP):
            _print(set_stage, branch, form, number)
        with pypdfium2.PdfDocument(set_stage.folder / "all.pdf") as document:
            pages = len(document)
        print(f"pages that another reader finds {pages:>34}")
        return 0 if pages == number and _peak() < CEILING else 1


def _print(set_stage: Stage, branch: Branch, form: PrintFormat, number: int) -> None:
    sessions = set_stage.app.extensions["sessions"]
    with transaction(sessions) as db:
        ids = printing.select_ids(db, EVERYTHING, PrintSelection(), form)
    file: Path = set_stage.folder / f"all.{form.value}"
    began = perf_counter()
    quarter = 0.0
    with file.open("wb") as out:
        for written, piece in enumerate(printing.stream(sessions, ids, branch, form)):
            out.write(piece)
            if written == number // 4:
                quarter = _peak()
    size = file.stat().st_size / KIB / KIB
    rate = number / (perf_counter() - began)
    memory = f"memory {quarter:.0f} MB after a quarter, {_peak():.0f} MB at the end"
    print(f"{number} as {form.value}: {rate:.0f} a second, a file of {size:.0f} MB; {memory}", flush=True)


def _peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (KIB if sys.platform != "darwin" else KIB * KIB)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))
