"""Totals from before this system: taken from a file that is kept with them, shown apart in every report and added in.

They come in by `courses.imports.opening`. A month of a programme in a district has one balance. A source that was wrong is
withdrawn as a whole, with a reason, and another is imported.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courses.models.catalogue import Programme
from courses.models.opening_balances import OpeningBalance, OpeningSource
from lms.core import audit, clock, reasons, spreadsheets
from lms.core.errors import N_, DomainError, NotFound
from lms.organisations import districts
from lms.organisations.models import District

MOST = 100_000_000
FIRST_YEAR = 1980
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?(?:[-/.]\d{1,2})?")


@dataclass(frozen=True)
class Balance:
    """One row that can go in."""

    month: date
    district_id: int
    programme_code: str
    person_times: int
    certificates: int


@dataclass(frozen=True)
class Listed:
    """A source with the sum of its balances."""

    source: OpeningSource
    rows: int
    person_times: int
    certificates: int
    first: date
    last: date


def reader(db: Session) -> Callable[[Mapping[str, str]], Balance]:
    """What reads a row, given by the names of its columns. It raises DomainError for one that cannot go in."""
    places = {
        name: one.id
        for one in districts.everyone(db)
        for name in (one.name_zh, one.name_zh.removesuffix("区"), one.name_en, one.code)
    }
    programmes = {
        name: one.code for one in db.scalars(select(Programme)) for name in (one.code, one.name_zh, one.name_en)
    }
    today = clock.now().date()
    return lambda given: _balance(given, places, programmes, today)


def _balance(
    given: Mapping[str, str], places: Mapping[str, int], programmes: Mapping[str, str], today: date
) -> Balance:
    district, programme = places.get(given["district"]), programmes.get(given["programme"])
    if district is None:
        raise DomainError("district", N_("There is no district “%(name)s”."), name=given["district"])
    if programme is None:
        raise DomainError("programme", N_("There is no programme “%(name)s”."), name=given["programme"])
    return Balance(
        _month(given["month"], today),
        district,
        programme,
        _number(given["person_times"]),
        _number(given.get("certificates") or "0"),
    )


def _month(text: str, today: date) -> date:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or int(found[1]) < FIRST_YEAR:
        raise DomainError("month", N_("“%(text)s” is no month; write it as 2012-05."), text=text)
    month = date(int(found[1]), int(found[2]), 1)
    if month > today:
        raise DomainError("month_to_come", N_("%(text)s is still to come."), text=text)
    return month


def _number(text: str) -> int:
    digits = spreadsheets.digits(text).replace(",", "")
    if not digits.isdecimal() or int(digits) > MOST:
        raise DomainError("number", N_("“%(text)s” is no whole number from 0 to 100000000."), text=text)
    return int(digits)


def keep(
    db: Session, *, title: str, file_name: str, media_type: str, content: bytes, rows: int, person_times: int
) -> OpeningSource:
    """Enter a source, with its file, before its balances: so many rows with so many person-times."""
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
    """Take a source out of all figures; it stays on record. Raises NotFound, and DomainError without a reason."""
    reason = reasons.required(reason)
    source = db.get(OpeningSource, source_id, with_for_update=True)
    if source is None or source.withdrawn_at is not None:
        raise NotFound
    source.withdrawn_at, source.withdrawn_reason = clock.now(), reason
    db.execute(update(OpeningBalance).where(OpeningBalance.source_id == source_id).values(active=False))
    audit.record(db, "opening_balance.withdraw", f"opening_source:{source_id}", reason=reason)


def listing(db: Session) -> list[Listed]:
    """Every source, the newest first."""
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
        Listed(source, number, int(person_times), int(certificates), first, last)
        for source, number, person_times, certificates, first, last in rows
    ]


def source(db: Session, source_id: int) -> OpeningSource:
    """One source. Raises NotFound."""
    found = db.get(OpeningSource, source_id)
    if found is None:
        raise NotFound
    return found


def balances_of(db: Session, source_id: int) -> list[tuple[OpeningBalance, District, Programme]]:
    """What a source says, month by month."""
    rows = db.execute(
        select(OpeningBalance, District, Programme)
        .join(District, District.id == OpeningBalance.district_id)
        .join(Programme, Programme.code == OpeningBalance.programme_code)
        .where(OpeningBalance.source_id == source_id)
        .order_by(OpeningBalance.month, OpeningBalance.district_id, Programme.position)
    )
    return [(balance, district, programme) for balance, district, programme in rows]
