"""Forms of the baselines that reports are held against: targets, population, and opening balances."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from courses.counting import targets
from lms.core.forms import Form, strip
from lms.core.languages import whole
from lms.core.spreadsheets import digits

P = TypeVar("P")


class GridForm(Form):
    """A table of numbers. Each cell is an <input> that `cell_name` names.

    `errors_of`: message by the name of the cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self.errors_of: dict[str, str] = {}

    def numbers(self, posted: Mapping[str, str], places: Iterable[P], name: str, most: int) -> dict[P, int | None]:
        """The numbers of the cells by place; an empty cell and a 0 are None.

        A cell that holds no whole number from 0 to `most` is left out and gets a message in `errors_of`.
        """
        numbers: dict[P, int | None] = {}
        for place in places:
            cell = cell_name(name, place)
            text = digits(posted.get(cell, "")).replace(",", "")
            if not text or text == "0":
                numbers[place] = None
            elif text.isdecimal() and int(text) <= most:
                numbers[place] = int(text)
            else:
                self.errors_of[cell] = _("Enter a whole number up to %(most)s.", most=whole(most))
        if self.errors_of:
            self.form_errors.append(_("Some cells do not contain a whole number. They are marked. Nothing was saved."))
        return numbers


def cell_name(name: str, place: object) -> str:
    """The name of a cell's field: "target-RESCUE-6", for example."""
    return "-".join((name, *map(str, place))) if isinstance(place, tuple) else f"{name}-{place}"


class TargetsForm(GridForm):
    """The targets of a year."""


class CopyTargetsForm(Form):
    """The percentage of last year's targets that this year's are set to."""

    percent = IntegerField(
        _l("Percent of last year's"),
        [
            InputRequired(_l("Enter a percentage.")),
            NumberRange(1, targets.LARGEST_PERCENT, _l("Enter a percentage from 1 to 1,000.")),
        ],
        default=100,
    )


class TargetFileForm(Form):
    """A spreadsheet of targets."""

    file = FileField(
        _l("Spreadsheet of targets (XLSX or CSV)"),
        validators=[
            FileRequired(_l("Choose a file.")),
            FileAllowed(["xlsx", "csv"], _l("Only XLSX and CSV files can be read. Save the file as one of them.")),
        ],
        render_kw={"accept": ".xlsx,.csv"},
    )


class PopulationForm(GridForm):
    """The population of a year, and the source of the figures."""

    source = StringField(_l("Source"), [Optional(), Length(max=200)], filters=[strip])


class WithdrawForm(Form):
    """The reason for which a source of opening balances is withdrawn."""

    reason = StringField(_l("Reason"), [DataRequired(_l("Enter a reason.")), Length(max=200)], filters=[strip])
