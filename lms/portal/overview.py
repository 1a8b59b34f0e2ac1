"""The overview of administrators, auditors and coordinators: what needs somebody, and the year so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from certificates.verification import alarms
from courses.counting import targets
from courses.offerings import listings
from courses.reports import year_so_far
from courses.reports.year_so_far import YearSoFar
from lms.core import clock
from lms.core.scope import Scope
from lms.portal import needs
from lms.portal.needs import Need, NeedMoments


@dataclass(frozen=True)
class Overview:
    """The numbers of the page.

    needs: by kind, 0 where there is nothing to do; kinds that the user has no list of are left out. coming: the drafts and
    published offerings with a session on `coming_days`, from the first to the last, which are today and the next six days.
    """

    needs: Mapping[Need, int]
    coming: int
    coming_days: tuple[date, date]
    year: YearSoFar

    @property
    def waiting(self) -> dict[Need, int]:
        """The needs with something to do."""
        return {need: number for need, number in self.needs.items() if number}

    @property
    def done(self) -> list[Need]:
        """The needs with nothing to do."""
        return [need for need, number in self.needs.items() if not number]


def read(db: Session, scope: Scope, lists: Mapping[Need, Scope], offerings: Scope, zone: ZoneInfo) -> Overview:
    """Return the overview, in ten statements at most.

    scope: the reach of the figures. lists: by need, the scope that the user has on the page of its list. offerings: the
    scope that the user has on the list of offerings.
    """
    today = clock.today(zone)
    coming_days = (today, today + timedelta(days=6))
    coming = listings.OfferingFilters(first_day=coming_days[0], last_day=coming_days[1])
    since = listings.midnight(today - alarms.SHOWN_FOR, zone)
    numbers = needs.read(db, lists, NeedMoments(clock.now(), today, since))
    year_targets = None
    if Need.TARGETS in lists:
        year_targets = targets.read(db, today.year, lists[Need.TARGETS])
        numbers[Need.TARGETS] = len(targets.behind(year_targets, today))
    ordered = {need: numbers[need] for need in Need if need in numbers}
    return Overview(
        needs=ordered,
        coming=db.scalar(listings.counting(coming, offerings, zone)) or 0,
        coming_days=coming_days,
        year=year_so_far.read(db, scope, today, year_targets),
    )


def alarms_since(zone: ZoneInfo) -> str:
    """The first day of the alarms that are counted, as the list of the audit trail takes it."""
    return (clock.today(zone) - timedelta(days=alarms.SHOWN_FOR.days)).isoformat()
