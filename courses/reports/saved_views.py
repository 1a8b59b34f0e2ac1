"""Saved views of reports: kept by name, shared within the owner's reach, and answered within the reader's.

A view holds the arguments of a report's address. `filters_of` reads them as the bar of the reports does, for the mails
and exports that are made of a view without a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from courses.models.saved_views import SavedView, ViewAudience
from courses.reports.filter_options import FilterOptions, filter_options
from courses.reports.periods import named_period
from courses.reports.questions import Filters, Grouping, Question, end_of_day
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound
from lms.core.names import clean
from lms.core.scope import Scope, fetch, visible
from lms.organisations.models import Organisation, Sector

LONGEST_NAME = 60
MOST_VIEWS = 50  # of one user
# The reports of which views are saved, with the rows that they have unless a view says otherwise.
REPORTS = {
    "enrolment": Grouping.MONTH,
    "districts": Grouping.MONTH,
    "indicators": Grouping.DISTRICT,
    "hours": Grouping.INSTRUCTOR,
}


@dataclass(frozen=True)
class Audience:
    """With whom a view is shared; the district or the organisation where it is one of these."""

    kind: ViewAudience = ViewAudience.NOBODY
    district_id: int | None = None
    organisation_id: int | None = None

    @property
    def code(self) -> str:
        """The audience as the value of a form's choice: "branch", "district:6"."""
        number = self.district_id if self.district_id is not None else self.organisation_id
        return self.kind.value if number is None else f"{self.kind.value}:{number}"


def audiences(scope: Scope) -> list[Audience]:
    """The audiences within a scope: with whom its user may share a view. An auditor shares with nobody."""
    own = [Audience()]
    if scope.read_only:
        return own
    if scope.everything:
        return [*own, Audience(ViewAudience.BRANCH)]
    return [
        *own,
        *(Audience(ViewAudience.DISTRICT, district_id=number) for number in sorted(scope.district_ids)),
        *(Audience(ViewAudience.ORGANISATION, organisation_id=number) for number in sorted(scope.organisation_ids)),
    ]


def own_organisations(db: Session, scope: Scope) -> Sequence[Organisation]:
    """The organisations of a coordinator, with which a view can be shared."""
    return db.scalars(select(Organisation).where(Organisation.id.in_(scope.organisation_ids))).all()


def listing(db: Session, scope: Scope) -> Sequence[SavedView]:
    """The views that a user may open, the own ones first, each by name, in one statement."""
    statement = (
        visible(select(SavedView), SavedView, scope)
        .options(joinedload(SavedView.owner))
        .order_by(SavedView.owner_id != scope.user_id, SavedView.name, SavedView.id)
    )
    return db.scalars(statement).all()


def view_of(db: Session, ref: str, scope: Scope) -> SavedView:
    """A view that the user may open. Raises NotFound for any other."""
    return fetch(db, SavedView, ref, scope, by=SavedView.ref)


def own_view(db: Session, ref: str, scope: Scope) -> SavedView:
    """A view of the user's own, locked for a change. Raises NotFound for any other."""
    view = fetch(db, SavedView, ref, scope, by=SavedView.ref, lock=True)
    if view.owner_id != scope.user_id:
        raise NotFound
    return view


def save(
    db: Session, name: str, report: str, arguments: Mapping[str, str], scope: Scope, *, audience: str = "nobody"
) -> SavedView:
    """Save a view. A form that is sent twice saves one.

    Raises DomainError for a name that the user has given to another view, and beyond `MOST_VIEWS`.
    """
    if report not in REPORTS:
        raise NotFound
    own = {view.name: view for view in db.scalars(select(SavedView).where(SavedView.owned_by(scope)))}
    names = set(own)
    same = own.get(clean(name))
    if same is not None and (same.report, same.arguments) == (report, dict(arguments)):
        return same
    if len(names) >= MOST_VIEWS:
        raise DomainError("views_too_many", N_("You have saved as many views as there is room for. Delete one first."))
    chosen = _audience(audience, scope)
    view = SavedView(
        owner_id=scope.user_id,
        name=_new_name(name, names),
        report=report,
        arguments=dict(arguments),
        audience=chosen.kind,
        district_id=chosen.district_id,
        organisation_id=chosen.organisation_id,
    )
    db.add(view)
    db.flush()
    audit.record(db, "saved_view.save", view, after=_recorded(view))
    return view


def change(db: Session, view: SavedView, name: str, audience: str, scope: Scope) -> None:
    """Rename a view, and share it or no longer share it. Raises DomainError for a name that is given already."""
    before = _recorded(view)
    others = select(SavedView.name).where(SavedView.owned_by(scope), SavedView.id != view.id)
    view.name = _new_name(name, set(db.scalars(others)))
    chosen = _audience(audience, scope)
    view.audience, view.district_id, view.organisation_id = chosen.kind, chosen.district_id, chosen.organisation_id
    db.flush()
    audit.record_change(db, "saved_view.change", view, before, _recorded(view))


def remove(db: Session, view: SavedView) -> None:
    """Delete a view."""
    audit.record(db, "saved_view.delete", view, before=_recorded(view))
    db.delete(view)
    db.flush()


def question_of(db: Session, view: SavedView, scope: Scope, *, today: date, zone: ZoneInfo) -> Question:
    """The question of a view for a reader. Raises DomainError `view_outdated` where the view no longer holds."""
    host = view.arguments.get("host", "")
    options = filter_options(db, scope, int(host) if host.isdecimal() else None)
    filters = filters_of(view.report, view.arguments, options, today=today, zone=zone)
    try:
        return Question(filters, scope)
    except NotFound:
        raise _outdated() from None


def filters_of(
    report: str, arguments: Mapping[str, str], options: FilterOptions, *, today: date, zone: ZoneInfo
) -> Filters:
    """The filters of arguments, as they are on a day. Raises DomainError `view_outdated` for what no longer holds."""
    for name, known in (
        ("programme", options.programmes),
        ("course", options.courses),
        ("district", options.districts),
    ):
        if name in arguments and arguments[name] not in {option.key for option in known}:
            raise _outdated()
    if "host" in arguments and options.host is None:
        raise _outdated()
    try:
        since, until = _days(arguments, today, options.years(today))
        as_of = arguments.get("as_of")
        return Filters(
            since=since,
            until=until,
            programme=arguments.get("programme"),
            district=int(arguments["district"]) if "district" in arguments else None,
            course=int(arguments["course"]) if "course" in arguments else None,
            host=int(arguments["host"]) if "host" in arguments else None,
            organisation=arguments.get("organisation"),
            sector=Sector(arguments["sector"]).value if "sector" in arguments else None,
            refresher=bool(int(arguments["refresher"])) if "refresher" in arguments else None,
            known_before=end_of_day(date.fromisoformat(as_of), zone) if as_of else None,
            grouping=Grouping(arguments["grouping"]) if "grouping" in arguments else REPORTS[report],
        )
    except ValueError:
        raise _outdated() from None


def _days(arguments: Mapping[str, str], today: date, years: range) -> tuple[date, date]:
    """The first and the last day, as `courses.reports.forms.filters.ReportFilterForm.days` has them."""
    since, until = (date.fromisoformat(arguments[name]) if name in arguments else None for name in ("since", "until"))
    if since is None and until is None:
        period = named_period(arguments.get("period", "this_year"), today, years)
        return period.since, period.until
    if since is None and until is not None:
        return date(until.year, 1, 1), until
    first = since or today
    return first, until or max(date(today.year, 12, 31), first)


def _outdated() -> DomainError:
    return DomainError(
        "view_outdated",
        N_("This view cannot be shown any more: a filter of it no longer exists, or lies outside of your reach."),
        status=422,
    )


def _audience(code: str, scope: Scope) -> Audience:
    """The audience of a form's choice. Raises NotFound outside of the scope."""
    for audience in audiences(scope):
        if audience.code == code:
            return audience
    raise NotFound


def _new_name(name: str, taken: set[str]) -> str:
    name = clean(name)
    if not name or len(name) > LONGEST_NAME:
        raise DomainError("view_name", N_("Enter a name of at most 60 characters."), status=422, field="name")
    if name in taken:
        raise DomainError("view_known", N_("You already have a view with this name."), status=422, field="name")
    return name


def _recorded(view: SavedView) -> dict[str, object]:
    return {
        "name": view.name,
        "report": view.report,
        "filters": dict(view.arguments),
        "audience": view.audience.value,
        "district_id": view.district_id,
        "organisation_id": view.organisation_id,
    }
