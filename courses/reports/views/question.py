"""What a page of the reports is asked: all of it stands in its address, so that it can be kept and sent."""

import re
from datetime import date
from zoneinfo import ZoneInfo

from flask import current_app, request
from flask_babel import gettext as _

from courses.reports import enrolment as report_rules
from courses.reports.filters import Column, Filters, Options, options
from courses.reports.forms.filters import GROUPINGS, FilterForm
from courses.reports.labels import report as words
from lms.core import clock
from lms.core.access import scope
from lms.core.errors import N_, DomainError
from lms.core.web import reporting

KEY = re.compile(r"[A-Z0-9_-]{1,40}|[a-z_]{1,20}")


def zone() -> ZoneInfo:
    """The branch's."""
    found: ZoneInfo = current_app.config["SETTINGS"].zone
    return found


def today() -> date:
    """The branch's day."""
    return clock.today(zone())


def filter_form() -> tuple[FilterForm, Options]:
    """The filter bar, filled from the address, and what it offers."""
    choices = options(reporting(), scope())
    return FilterForm(request.args, choices, today()), choices


def asked() -> tuple[Filters, Options]:
    """The question of an address that a page of ours made. Raises DomainError when somebody broke it."""
    form, choices = filter_form()
    key = request.args.get("key") or None
    if not form.validate() or (key is not None and not KEY.fullmatch(key)):
        raise DomainError(
            "filters", N_("The filters in this address cannot be read. Open the report and choose again."), status=422
        )
    return form.filters(zone(), key), choices


def column() -> Column | None:
    """The figure that a drill-down is about."""
    found = request.args.get("column")
    return Column(found) if found in set(Column) else None


def asked_of(filters: Filters, choices: Options, figure: Column | None) -> list[tuple[str, str]]:
    """The question of a drill-down in words: the report's, the row's, and the figure's."""
    lines = list(words.question(filters, choices))[:-1]
    if filters.key is not None:
        rows = report_rules.rows(reporting(), filters, scope())
        lines.append((str(GROUPINGS[filters.grouping]), words.key_name(filters, rows)))
    if figure is not None:
        lines.append((_("Figure"), str(words.COLUMNS[figure])))
    return lines
