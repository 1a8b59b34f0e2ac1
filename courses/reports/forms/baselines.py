"""Forms of what reports are held against: targets, the registered population, totals from before the system."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Optional

from lms.core.forms import Form, strip
from lms.core.spreadsheets import digits

P = TypeVar("P")


class GridForm(Form):
    """A table of numbers. Each cell is a plain field named after its place; `errors_of` says what cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.errors_of: dict[str, str] = {}

    def numbers(self, given: Mapping[str, str], places: Iterable[P], name: str, most: int) -> dict[P, int | None]:
        """The cells of a table: an empty one is None. What is no whole number from 1 to `most` is named in `errors_of`."""
        found: dict[P, int | None] = {}
        for place in places:
            cell = cell_name(name, place)
            text = digits(given.get(cell, "")).replace(",", "")
            if not text or text == "0":
                found[place] = None
            elif text.isdecimal() and int(text) <= most:
                found[place] = int(text)
            else:
                self.errors_of[cell] = _("Enter a whole number up to %(most)s.", most=f"{most:,}")
        if self.errors_of:
            self.form_errors.append(_("Some cells hold no whole number. They are marked; nothing was saved."))
        return found


def cell_name(name: str, place: object) -> str:
    """What a cell's field is called."""
    return "-".join((name, *map(str, place))) if isinstance(place, tuple) else f"{name}-{place}"


class TargetsForm(GridForm):
    """A year's targets."""


class PopulationForm(GridForm):
    """A year's population, and where the figures are from."""

    source = StringField(_l("Source"), [Optional(), Length(max=200)], filters=[strip])


class WithdrawForm(Form):
    """Why a source is withdrawn."""

    reason = StringField(_l("Reason"), [DataRequired(_l("Give a reason.")), Length(max=200)], filters=[strip])
