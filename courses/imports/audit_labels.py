"""Labels of the audit trail's codes for imports."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "import.choose_sheet": N_("Sheet chosen for import"),
            "import.correct": N_("Rows to correct downloaded"),
            "import.done": N_("Import finished"),
            "import.erase": N_("Rows of an import erased"),
            "import.correct_cells": N_("Cells of a file corrected"),
            "import.forget_value": N_("Remembered value forgotten"),
            "import.match_value": N_("Value of a file matched"),
            "import.receive": N_("File received for import"),
            "import.reopen": N_("Import taken back to its columns"),
            "import.resume": N_("Import resumed"),
            "import.start": N_("Import started"),
            "import.stop": N_("Import stopped"),
            "import.undo": N_("Undo of an import requested"),
            "import.undone": N_("Import undone"),
        },
        nouns={
            "file": N_("File"),
            "import_known_value": N_("Remembered value"),
            "import_run": N_("Import"),
        },
        fields={
            "bytes": N_("Size"),
            "double": N_("Duplicate in the file"),
            "enrolments": N_("Enrolments created"),
            "file": N_("File"),
            "hidden": N_("Hidden rows and columns read"),
            "kept": N_("Kept"),
            "kept_offerings": N_("Offerings kept"),
            "kept_people": N_("Trainees kept"),
            "kept_rows": N_("Rows kept"),
            "known": N_("Already in the system"),
            "new": N_("Can be imported"),
            "offerings": N_("Offerings"),
            "overlapping": N_("Person-times entered before for the same months"),
            "overlaps": N_("Months with other figures"),
            "refused": N_("Refused"),
            "sheet": N_("Sheet"),
            "source": N_("Source"),
            "undone_offerings": N_("Offerings removed"),
            "undone_people": N_("Trainees removed"),
            "undone_rows": N_("Rows removed"),
        },
    )
)
