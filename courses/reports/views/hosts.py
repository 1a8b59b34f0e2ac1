"""The page on which a reader chooses the one host that a report is of, among thousands, by a part of its name."""

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from courses.reports import hosts
from courses.reports.views import bar
from courses.reports.views.navigation import link
from courses.reports.views.questions import filter_form, page_number
from lms.core.access import requires, scope
from lms.core.request_db import report_db
from lms.core.scope import STAFF_READERS

blueprint = Blueprint("report_hosts", __name__)


@blueprint.get("/hosts")
@requires(*STAFF_READERS)
def page() -> str:
    """List the hosts whose name has the part; each leads to the report of this host alone."""
    form, _options = filter_form()
    form.validate()
    name = request.args.get("report", "")
    report = bar.REPORTS[name if name in bar.REPORTS else "enrolment"]
    part = form.organisation.data or ""
    district = form.district.data
    found = hosts.search(report_db(), scope(), part, district=int(district) if district else None, page=page_number())
    arguments = {key: value for key, value in bar.set_arguments(form).items() if key not in {"organisation", "host"}}
    return render_template(
        "reports/hosts.html",
        form=form,
        hosts=found,
        part=part,
        arguments=arguments | {"report": name},
        address=lambda host: link(report.endpoint, {**arguments, "host": host.id}),
        back=link(report.endpoint, dict(arguments)),
        title=_("Choose one host"),
    )
