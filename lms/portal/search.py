"""The search of every page: people, certificates, tickets, offerings, hosts and instructors, grouped by kind.

Each kind is searched within the scope of the roles that see its pages, and shows a few rows, the exact ones first. A whole
number (a phone, an ID number, a certificate's number, a ticket, the number of an offering or of an instructor) that has one
hit leads straight there. What was typed is sent by POST; the address of the results holds it encrypted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.orm import Session
from wtforms.validators import Length

from certificates import listings as certificates
from certificates.legacy import listings as legacy
from certificates.legacy.legacy import number_key
from courses.attendance.scanning import ticket_in
from courses.enrolment import trainee_search, trainees_rights
from courses.offerings import listings as offerings
from instructors import register as instructors
from lms.core.access import requires, scope_of
from lms.core.errors import N_
from lms.core.forms import QueryForm
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, OFFERING_READERS, READERS, STAFF_READERS, Role, Scope
from lms.core.sealed_search import LONGEST, SealedSearchField, redirect_to_search
from lms.organisations import register as organisations

MOST = 5  # rows of a kind
FEWEST_OF_A_NUMBER = 4  # characters of what is looked for among the numbers of certificates

blueprint = Blueprint("search", __name__)


class SearchForm(QueryForm):
    """The words of a search, sealed in the address."""

    words = SealedSearchField(
        _l("Search"), validators=[Length(max=LONGEST)], render_kw={"autocomplete": "off", "maxlength": LONGEST}
    )


@dataclass(frozen=True)
class Hit:
    """A row that was found. exact: its number is what was typed. `year`: the birth year, where the user may see it."""

    row: Any
    exact: bool = False
    year: int | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of what is found: its msgid, who sees its pages, and the endpoint of a row's page with its argument.

    list_endpoint: the list that finds the same words, and more of them; it takes them as the sealed argument `words`.
    """

    key: str
    label: str
    roles: tuple[Role, ...]
    endpoint: str
    argument: str
    find: Callable[[Session, str, Scope], Iterable[Hit]]
    list_endpoint: str | None = None

    def address(self, hit: Hit) -> str:
        """The address of a hit's page."""
        return url_for(self.endpoint, **{self.argument: hit.row.id})


@dataclass(frozen=True)
class Group:
    """The hits of a kind; `more`: there are others."""

    kind: Kind
    hits: Sequence[Hit]
    more: bool


def _people(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    ticket = ticket_in(words)
    holders = trainee_search.holders_of_ticket(session, ticket, reach) if ticket else ()
    rows = holders or trainee_search.search(session, words, reach, size=MOST + 1, counted=False).rows
    exact = bool(holders) or bool(rows and _has_digit(words) and trainee_search.ids_of_number(session, words))
    legible = trainees_rights.legible_ids(session, [row.id for row in rows], reach)
    return [Hit(row, exact, row.birth_year if row.id in legible else None) for row in rows]


def _certificates(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    if not _may_be_number(words):
        return ()
    rows = certificates.of_number(session, reach, words, most=MOST + 1)
    return [Hit(row, number_key(row.number) == number_key(words)) for row in rows]


def _legacy(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    if not _may_be_number(words):
        return ()
    rows = legacy.of_number(session, reach, words, most=MOST + 1)
    return [Hit(row, row.number_key == number_key(words)) for row in rows]


def _offerings(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    rows = offerings.find(session, reach, words, most=MOST + 1)
    return [Hit(row, exact=words == str(row.id)) for row in rows]


def _hosts(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    return [Hit(row) for row in organisations.find(session, reach, words, most=MOST + 1)]


def _instructors(session: Session, words: str, reach: Scope) -> Iterable[Hit]:
    rows = instructors.find(session, reach, words, most=MOST + 1)
    return [Hit(row, exact=row.registration_number == words.upper()) for row in rows]


KINDS = (
    Kind("people", N_("Trainees"), STAFF_READERS, "trainees.page", "trainee_id", _people, "trainees.index"),
    Kind("certificates", N_("Certificates"), OFFERING_READERS, "certificates.page", "certificate_id", _certificates),
    Kind(
        "legacy",
        N_("Legacy certificates"),
        (Role.CITY_ADMINISTRATOR, Role.AUDITOR),
        "legacy.page",
        "legacy_id",
        _legacy,
    ),
    Kind("offerings", N_("Offerings"), OFFERING_READERS, "offerings.page", "offering_id", _offerings),
    Kind("hosts", N_("Organisations"), ADMINISTRATORS, "organisations.edit", "organisation_id", _hosts),
    Kind("instructors", N_("Instructors"), READERS, "instructors.page", "instructor_id", _instructors),
)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*OFFERING_READERS, reading=True)
def page() -> ResponseReturnValue:
    """Show what was found, or the box alone. The one hit of an exact number is shown at once."""
    if request.method == "POST":
        exact = [(group.kind, hit) for group in find(request.form.get("words", "")) for hit in group.hits if hit.exact]
        if len(exact) == 1:
            kind, hit = exact[0]
            return redirect(kind.address(hit), 303)
        return redirect_to_search(SearchForm)
    form = SearchForm(request.args)
    form.validate()
    return render_template("search/page.html", form=form, groups=find(form.words.data or ""), most=MOST)


def find(words: str) -> list[Group]:
    """The hits of each kind whose pages the user sees; kinds without hits are left out."""
    words = " ".join(words.split())[:LONGEST]
    groups = []
    for kind in KINDS if words else ():
        grants = [grant for grant in current_user.grants if grant.role in kind.roles]
        if not grants:
            continue
        hits = sorted(kind.find(db(), words, scope_of(current_user.id, grants)), key=lambda hit: not hit.exact)
        if hits:
            groups.append(Group(kind, hits[:MOST], more=len(hits) > MOST))
    return groups


def _has_digit(words: str) -> bool:
    return any(character.isdigit() for character in words)


def _may_be_number(words: str) -> bool:
    return _has_digit(words) and len(number_key(words)) >= FEWEST_OF_A_NUMBER
