"""Opening balances: totals from before this system, imported from a file that is stored with them.

Every report shows them apart and adds them in. `courses.imports.opening` imports them. A month of a programme in a
district has one balance. A source that was wrong is withdrawn as a whole, with a reason, and another is imported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courses.models.catalogue import Programme
from courses.models.opening_balances import OpeningBalance, OpeningSource
from lms.core import audit, clock, reasons
from lms.core.cell_values import parse_count, parse_month
from lms.core.errors import N_, DomainError, NotFound
from lms.organisations import districts
from lms.organisations.models import District

LARGEST_BALANCE = 100_000_000
FIRST_YEAR = 1980


@dataclass(frozen=True)
class BalanceRow:
    """A row of a file, read and checked: the balance of a month (its first day), a district and a programme."""

    month: date
    district_id: int
    programme_code: str
    person_times: int
    certificates: int


@dataclass(frozen=True)
class SourceSummary:
    """A source with the number and the sums of its balances, and its `first` and `last` month."""

    source: OpeningSource
    rows: int
    person_times: int
    certificates: int
    first: date
    last: date


def row_reader(db: Session, today: date) -> Callable[[Mapping[str, str]], BalanceRow]:
    """Return the function that reads a row (column → cell). The function raises DomainError for a row at fault.

    A district is given by its name in either language, with or without 区, or by its code; a programme by name or code.
    """
    district_ids = {
        name: district.id
        for district in districts.everyone(db)
        for name in (district.name_zh, district.name_zh.removesuffix("区"), district.name_en, district.code)
    }
    programme_codes = {
        name: programme.code
        for programme in db.scalars(select(Programme))
        for name in (programme.code, programme.name_zh, programme.name_en)
    }
    return lambda cells: _balance(cells, district_ids, programme_codes, today)


def _balance(
    cells: Mapping[str, str], district_ids: Mapping[str, int], programme_codes: Mapping[str, str], today: date
) -> BalanceRow:
    district, programme = district_ids.get(cells["district"]), programme_codes.get(cells["programme"])
    if district is None:
        raise DomainError("district", N_("There is no district “%(name)s”."), name=cells["district"])
    if programme is None:
        raise DomainError("programme", N_("There is no programme “%(name)s”."), name=cells["programme"])
    return BalanceRow(
        _month(cells["month"], today),
        district,
        programme,
        _number(cells["person_times"]),
        _number(cells.get("certificates") or "0"),
    )


def _month(text: str, today: date) -> date:
    month = parse_month(text)
    if month is None or month.year < FIRST_YEAR:
        raise DomainError("month", N_("“%(text)s” is not a month. Write it as 2012-05."), text=text)
    if month > today:
        raise DomainError("month_to_come", N_("%(text)s is in the future."), text=text)
    return month


def _number(text: str) -> int:
    number = parse_count(text, LARGEST_BALANCE)
    if number is None:
        raise DomainError(
            "number", N_("“%(text)s” is not a whole number from 0 to %(most)s."), text=text, most=LARGEST_BALANCE
        )
    return number


def add_source(
    db: Session, *, title: str, file_name: str, media_type: str, content: bytes, rows: int, person_times: int
) -> OpeningSource:
    """Add a source with its file; its balances follow. `rows` and `person_times` are for the audit trail."""
    source = OpeningSource(
        title=title, file_name=file_name, media_type=media_type, file=content, added_by=audit.actor(db)
    )
    db.add(source)
    db.flush()
    audit.record(
        db,
        "opening_balance.add",
        f"opening_source:{source.id}",
        after={"title": title, "rows": rows, "person_times": person_times},
    )
    return source


def withdraw(db: Session, source_id: int, reason: str) -> None:
    """Withdraw a source from all figures; it stays on record.

    Raises NotFound for a source that does not exist or is withdrawn already, and DomainError for a blank reason.
    """
    reason = reasons.required(reason)
    source = db.get(OpeningSource, source_id, with_for_update=True)
    if source is None or source.withdrawn_at is not None:
        raise NotFound
    source.withdrawn_at, source.withdrawn_reason = clock.now(), reason
    db.execute(update(OpeningBalance).where(OpeningBalance.source_id == source_id).values(active=False))
    audit.record(db, "opening_balance.withdraw", f"opening_source:{source_id}", reason=reason)


def listing(db: Session) -> list[SourceSummary]:
    """Return every source with its sums, the newest first."""
    rows = db.execute(
        select(
            OpeningSource,
            func.count(OpeningBalance.id),
            func.sum(OpeningBalance.person_times),
            func.sum(OpeningBalance.certificates),
            func.min(OpeningBalance.month),
            func.max(OpeningBalance.month),
        )
        .join(OpeningBalance, OpeningBalance.source_id == OpeningSource.id)
        .group_by(OpeningSource.id)
        .order_by(OpeningSource.id.desc())
    )
    return [
        SourceSummary(source, number, int(person_times), int(certificates), first, last)
        for source, number, person_times, certificates, first, last in rows
    ]


def source(db: Session, source_id: int) -> OpeningSource:
    """Return a source. Raises NotFound."""
    stored = db.get(OpeningSource, source_id)
    if stored is None:
        raise NotFound
    return stored


def balances_of(db: Session, source_id: int) -> list[tuple[OpeningBalance, District, Programme]]:
    """Return the balances of a source with their districts and programmes, in the order of the months."""
    rows = db.execute(
        select(OpeningBalance, District, Programme)
        .join(District, District.id == OpeningBalance.district_id)
        .join(Programme, Programme.code == OpeningBalance.programme_code)
        .where(OpeningBalance.source_id == source_id)
        .order_by(OpeningBalance.month, OpeningBalance.district_id, Programme.position)
    )
    return [(balance, district, programme) for balance, district, programme in rows]
