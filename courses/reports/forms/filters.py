"""The bar of the reports: period, filters and rows.

It is read from the query string and changes nothing, so it has no CSRF token.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import AnyOf, Length, Optional, ValidationError

from courses.reports.filter_options import FilterOption, FilterOptions
from courses.reports.periods import UnknownYear, named_period
from courses.reports.questions import Filters, Grouping, end_of_day
from lms.core.errors import NotFound
from lms.core.forms import DayField, QueryForm, strip
from lms.core.languages import named
from lms.organisations.forms import SECTORS

HOST = re.compile(r"[0-9]{1,10}", re.ASCII)
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2100, 12, 31)

GROUPING_LABELS = {
    Grouping.MONTH: _l("Month"),
    Grouping.QUARTER: _l("Quarter"),
    Grouping.YEAR: _l("Year"),
    Grouping.PROGRAMME: _l("Programme"),
    Grouping.DISTRICT: _l("District"),
    Grouping.COURSE: _l("Course"),
    Grouping.INSTRUCTOR: _l("Lead instructor"),
    Grouping.HOST: _l("Host organisation"),
    Grouping.SECTOR: _l("Sector"),
}
REFRESHER_LABELS = {"": _l("All"), "0": _l("First training"), "1": _l("Refreshers")}


class ReportFilterForm(QueryForm):
    """Period, filters and grouping.

    The period is `since` and `until` where one of them is given, else the named `period`, else this year.

    A district outside of the reader's scope is no validation error: `courses.reports.questions.Question` raises
    NotFound for it. `filters` does for a host.
    """

    period = StringField(_l("Period"), filters=[strip])
    since = DayField(_l("From"), [Optional()])
    until = DayField(_l("To"), [Optional()])
    programme = SelectField(_l("Programme"))
    district = SelectField(_l("District"), [AnyOf([""] + [str(n) for n in range(256)])], validate_choice=False)
    course = SelectField(_l("Course"))
    host = StringField(_l("Host organisation"), filters=[strip])
    organisation = StringField(_l("Host (part of its name)"), [Length(max=100)], filters=[strip])
    sector = SelectField(_l("Sector"))
    refresher = SelectField(_l("First training or refresher"))
    as_of = DayField(_l("As recorded on"), [Optional()])
    grouping = SelectField(_l("Rows"))

    def __init__(self, arguments: Any, options: FilterOptions, today: date, default: Grouping = Grouping.MONTH) -> None:
        self.today, self.years = today, options.years(today)
        self.year = (date(today.year, 1, 1), date(today.year, 12, 31))
        super().__init__(arguments, data={"grouping": default.value})
        self.options = options
        self.programme.choices = _choices(options.programmes)
        self.district.choices = _choices(options.districts)
        self.course.choices = _choices(options.courses)
        self.sector.choices = [("", _l("All")), *((sector.value, label) for sector, label in SECTORS.items())]
        self.refresher.choices = list(REFRESHER_LABELS.items())
        self.grouping.choices = [(grouping.value, label) for grouping, label in GROUPING_LABELS.items()]
        for field in (self.programme, self.district, self.course, self.sector, self.refresher):
            field.data = field.data or ""

    def validate_period(self, field: StringField) -> None:
        """Refuse a text that names no period, and a year of which there are no figures."""
        try:
            named_period(field.data or "this_year", self.today, self.years)
        except UnknownYear:
            raise ValidationError(
                _(
                    "There are no figures of this period. They go from %(first)s to %(last)s.",
                    first=self.years[0],
                    last=self.years[-1],
                )
            ) from None
        except ValueError:
            raise ValidationError(_l("Choose a period from the list.")) from None

    def validate_host(self, field: StringField) -> None:
        """Refuse what is no number of an organisation."""
        if field.data is not None and not HOST.fullmatch(field.data):
            raise ValidationError(_l("Choose again."))

    def validate_organisation(self, field: StringField) -> None:
        """Refuse a character that no name in the database can hold."""
        if "\0" in (field.data or ""):
            raise ValidationError(_l("Choose again."))

    def validate_since(self, field: DayField) -> None:
        """Refuse a day outside of `FIRST_DAY` and `LAST_DAY`."""
        if field.data is not None and not FIRST_DAY <= field.data <= LAST_DAY:
            raise ValidationError(_l("Choose a day between 1980 and 2100."))

    def validate_until(self, field: DayField) -> None:
        """Refuse such a day too, and a day before the beginning of the period."""
        self.validate_since(field)
        if field.data is not None and self.since.data is not None and field.data < self.since.data:
            raise ValidationError(_l("The period ends before it begins."))

    def validate_as_of(self, field: DayField) -> None:
        """Refuse a day outside of `FIRST_DAY` and `LAST_DAY`."""
        self.validate_since(field)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of the period, of a form that validated."""
        since, until = self.since.data, self.until.data
        if since is None and until is None:
            chosen = named_period(self.period.data or "this_year", self.today, self.years)
            return chosen.since, chosen.until
        if since is None:
            return date(until.year, 1, 1), until
        return since, until or max(self.year[1], since)

    def filters(self, zone: ZoneInfo, key: str | None = None) -> Filters:
        """The filters of a form that validated. zone: the time zone in which days end. key: the row of a drill-down.

        Raises NotFound for a host that the reader may not see, exactly as for one that does not exist.
        """
        if self.host.data and self.options.host is None:
            raise NotFound
        since, until = self.days
        return Filters(
            since=since,
            until=until,
            programme=self.programme.data or None,
            district=int(self.district.data) if self.district.data else None,
            course=int(self.course.data) if self.course.data else None,
            host=int(self.host.data) if self.host.data else None,
            organisation=self.organisation.data or None,
            sector=self.sector.data or None,
            refresher=bool(int(self.refresher.data)) if self.refresher.data else None,
            known_before=end_of_day(self.as_of.data, zone) if self.as_of.data else None,
            grouping=Grouping(self.grouping.data),
            key=key,
        )


def _choices(options: Iterable[FilterOption]) -> list[tuple[str, Any]]:
    return [("", _l("All")), *((option.key, named(option)) for option in options)]
