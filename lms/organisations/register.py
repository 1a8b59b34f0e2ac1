"""The register of organisations that host training."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from lms.core import audit
from lms.core.errors import N_, Denied, DomainError
from lms.core.paging import ALL, Order, Page, page_of_ids
from lms.core.scope import Scope, visible
from lms.organisations import order
from lms.organisations.models import Organisation, Sector


@dataclass(frozen=True)
class OrganisationFacts:
    """Names, district and address of an organisation."""

    name_zh: str
    name_en: str | None
    district_id: int
    sector: Sector


@dataclass(frozen=True)
class OrganisationFilter:
    """Filters of the list. `text`: part of a name in either language."""

    text: str | None = None
    district_id: int | None = None
    sector: Sector | None = None
    active: bool = True


def listing(
    db: Session, scope: Scope, filters: OrganisationFilter, page: int, by: Order = order.ORDERS[0]
) -> Page[Organisation]:
    """The scope's organisations with their districts, by district and the sound of the name or in another order."""
    statement = _matching(scope, filters)
    return page_of_ids(db, statement, Organisation.id, order.sorted_ids(db, statement, by), page)


def everything(
    db: Session, scope: Scope, filters: OrganisationFilter, by: Order = order.ORDERS[0]
) -> list[Organisation]:
    """All organisations of the list, in its order, for a file."""
    statement = _matching(scope, filters)
    ids = order.sorted_ids(db, statement, by)
    return list(page_of_ids(db, statement, Organisation.id, ids, 1, size=ALL).rows)


def record_export(db: Session, filters: OrganisationFilter, form: str, rows: int) -> None:
    """Record that the list was exported, with its filters."""
    known = {name: value for name, value in asdict(filters).items() if value is not None}
    audit.record(db, "report.export", "report:organisations", after={"format": form, "rows": rows, "filters": known})


def _matching(scope: Scope, filters: OrganisationFilter) -> Select[Organisation]:
    statement = (
        visible(select(Organisation), Organisation, scope)
        .where(Organisation.active.is_(filters.active))
        .options(joinedload(Organisation.district))
    )
    if filters.text:
        statement = statement.where(
            Organisation.name_zh.icontains(filters.text, autoescape=True)
            | Organisation.name_en.icontains(filters.text, autoescape=True)
        )
    if filters.district_id is not None:
        statement = statement.where(Organisation.district_id == filters.district_id)
    if filters.sector is not None:
        statement = statement.where(Organisation.sector == filters.sector)
    return statement


def find(db: Session, scope: Scope, words: str, *, most: int) -> Sequence[Organisation]:
    """The scope's organisations with each of the words in a name; those that begin with them come first."""
    statement = visible(select(Organisation), Organisation, scope).options(joinedload(Organisation.district))
    for word in words.split()[:8]:
        names = (Organisation.name_zh, Organisation.name_en)
        statement = statement.where(or_(*(name.icontains(word, autoescape=True) for name in names)))
    first = (~Organisation.active, ~Organisation.name_zh.istartswith(words, autoescape=True), Organisation.name_zh)
    return db.scalars(statement.order_by(*first, Organisation.id).limit(most)).all()


def add(db: Session, facts: OrganisationFacts, scope: Scope) -> Organisation:
    """Add an organisation in a district of the scope. Raises DomainError if the district already has one of this name."""
    _demand_district(facts.district_id, scope)
    _demand_new_name(db, facts)
    row = Organisation(**asdict(facts), active=True)
    db.add(row)
    db.flush()
    audit.record(db, "organisation.add", row, after=_recorded(row))
    return row


def change(db: Session, row: Organisation, facts: OrganisationFacts, scope: Scope) -> None:
    """Change an organisation. Past offerings keep the district in which they were held."""
    _demand_district(facts.district_id, scope)
    if (facts.name_zh, facts.district_id) != (row.name_zh, row.district_id):
        _demand_new_name(db, facts)
    before = _recorded(row)
    for name, value in asdict(facts).items():
        setattr(row, name, value)
    db.flush()
    audit.record_change(db, "organisation.change", row, before, _recorded(row))


def set_contact(db: Session, row: Organisation, name: str | None, phone: str | None) -> None:
    """Set whom the public calls about the organisation's trainings. Raises DomainError `phone_missing` for a name alone."""
    if name and not phone:
        raise DomainError(
            "phone_missing",
            N_("Enter the phone that people call, or remove the name."),
            status=422,
            field="contact_phone",
        )
    before = _recorded(row)
    row.contact_name, row.contact_phone = name, phone
    db.flush()
    audit.record_change(db, "organisation.change", row, before, _recorded(row))


def set_active(db: Session, row: Organisation, active: bool, reason: str | None = None) -> None:
    """Activate or deactivate an organisation. New offerings cannot choose an inactive one; its past offerings stay."""
    if row.active is active:
        return
    before = _recorded(row)
    row.active = active
    audit.record_change(db, "organisation.change", row, before, _recorded(row), reason=reason)


def _demand_district(district_id: int, scope: Scope) -> None:
    if not scope.everything and district_id not in scope.district_ids:
        raise Denied


def _demand_new_name(db: Session, facts: OrganisationFacts) -> None:
    same = select(Organisation.id).where(
        Organisation.district_id == facts.district_id, Organisation.name_zh == facts.name_zh
    )
    if db.scalar(same.limit(1)) is not None:
        raise DomainError(
            "organisation_known",
            N_("The district already has an organisation with this name. Check the inactive ones too."),
            status=422,
            field="name_zh",
        )


def _recorded(row: Organisation) -> dict[str, str | int | bool | None]:
    return {
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "district_id": row.district_id,
        "sector": Sector(row.sector).value,
        "active": row.active,
        "contact_name": row.contact_name,
        "contact_phone": row.contact_phone,
    }
