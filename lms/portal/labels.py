"""The texts of the overview: a title and a sentence for each need."""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from lms.portal.needs import Need

TITLES = {
    Need.ALARMS: _l("Alarms of verification"),
    Need.UNCLOSED: _l("Sessions to close"),
    Need.CLOSINGS: _l("Closings to confirm"),
    Need.REVIEWS: _l("Check-ins to review"),
    Need.UNPRINTABLE: _l("Names that cannot be printed"),
    Need.TO_CALL: _l("People to call"),
    Need.TRAINING_REQUESTS: _l("Requested trainings"),
    Need.PROPOSALS: _l("Proposed changes"),
    Need.ERASURES: _l("Requests for erasure"),
    Need.TARGETS: _l("Targets that are behind"),
    Need.QUALIFICATIONS: _l("Qualifications that end"),
    Need.IMPORTS: _l("Imports to finish"),
    Need.EXPORTS: _l("Failed exports"),
}

# The number stands before the sentence, and belongs to it.
SENTENCES: dict[Need, Callable[[int], str]] = {
    Need.ALARMS: lambda number: ngettext(
        "code with our signature that is not in our records was verified in the last 30 days. A signing key may have leaked.",
        "codes with our signature that are not in our records were verified in the last 30 days. A signing key may have leaked.",
        number,
    ),
    Need.UNCLOSED: lambda number: ngettext(
        "session ended more than 48 hours ago and is not closed.",
        "sessions ended more than 48 hours ago and are not closed.",
        number,
    ),
    Need.CLOSINGS: lambda number: ngettext(
        "session waits for somebody to confirm its closing.",
        "sessions wait for somebody to confirm their closing.",
        number,
    ),
    Need.REVIEWS: lambda number: ngettext("check-in waits for a decision.", "check-ins wait for a decision.", number),
    Need.UNPRINTABLE: lambda number: ngettext(
        "certificate cannot be printed: no font has a character of it.",
        "certificates cannot be printed: no font has a character of them.",
        number,
    ),
    Need.TO_CALL: lambda number: ngettext(
        "person was reached by no message. Somebody has to call.",
        "people were reached by no message. Somebody has to call.",
        number,
    ),
    Need.TRAINING_REQUESTS: lambda number: ngettext(
        "organisation asks for a training.", "organisations ask for a training.", number
    ),
    Need.PROPOSALS: lambda number: ngettext(
        "proposed change of a record waits for your decision.",
        "proposed changes of records wait for your decision.",
        number,
    ),
    Need.ERASURES: lambda number: ngettext(
        "person asks to have all data erased.", "people ask to have all their data erased.", number
    ),
    Need.TARGETS: lambda number: ngettext(
        "target is behind: less of it is reached than of the year has passed.",
        "targets are behind: less of them is reached than of the year has passed.",
        number,
    ),
    Need.QUALIFICATIONS: lambda number: ngettext(
        "instructor has a qualification that ends within 90 days.",
        "instructors have a qualification that ends within 90 days.",
        number,
    ),
    Need.IMPORTS: lambda number: ngettext(
        "import is not finished, or rows of it were refused.",
        "imports are not finished, or rows of them were refused.",
        number,
    ),
    Need.EXPORTS: lambda number: ngettext("export of yours failed.", "exports of yours failed.", number),
}
