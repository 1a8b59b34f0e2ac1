"""Overlaps: figures of a file for a month, district and programme that have figures of another kind already.

A total from before the system and the records of the same trainings would count them twice. Nobody but a person can
tell whether they are the same trainings, so an import with overlaps waits until a user decides: not to import it, or to
import it with a reason. An overlap is named with its figures, as 5,000 + 2,734.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courses.models.imports import ImportRun
from courses.models.opening_balances import OpeningBalance
from lms.core.errors import N_

OVERLAPS_NAMED = 100
UNDECIDED = N_(
    "Months of this file that already have figures for the same district and programme: %(number)s. Decide whether the "
    "file is to be imported anyway, and give a reason."
)
# An advisory lock: of two imports that would overlap, the later one sees what the earlier one wrote.
_LOCK = 0x6F7665726C61


@dataclass(frozen=True)
class Overlap:
    """Person-times of one month (its first day), district and programme.

    entering: in the file. balances: in opening balances that count. recorded: of closed offerings, by the day on which
    they ended. Either balances or recorded may be 0.
    """

    month: date
    district_zh: str
    district_en: str
    programme_zh: str
    programme_en: str
    entering: int
    balances: int
    recorded: int

    @property
    def existing(self) -> int:
        """The figures to which the file would add."""
        return self.balances + self.recorded

    @property
    def together(self) -> int:
        """The person-times that the reports would show after the import."""
        return self.entering + self.existing

    def __str__(self) -> str:
        """The overlap in one line. Example: "2015-03 东城区 救护员培训: 5,000 + 2,734"."""
        return f"{self.month:%Y-%m} {self.district_zh} {self.programme_zh}: {self.entering:,} + {self.existing:,}"


_SUMS = """
, recorded AS (
    SELECT date_trunc('month', offering.counted_on)::date AS month, offering.district_id, course.programme_code,
        sum(line.named + line.counted)::bigint AS person_times
    FROM offering JOIN course ON course.id = offering.course_id
    JOIN person_time_entry AS line ON line.offering_id = offering.id
    WHERE offering.state = 'closed' AND offering.counted_on >= (SELECT min(month) FROM entering)
        AND offering.counted_on < (SELECT max(month) + interval '1 month' FROM entering)
    GROUP BY 1, 2, 3
), balance AS (
    SELECT month, district_id, programme_code, sum(person_times)::bigint AS person_times
    FROM opening_balance WHERE active GROUP BY 1, 2, 3
)
SELECT entering.month, district.name_zh, district.name_en, programme.name_zh, programme.name_en, entering.person_times,
    coalesce(balance.person_times, 0), coalesce(recorded.person_times, 0)
FROM entering
JOIN district ON district.id = entering.district_id
JOIN programme ON programme.code = entering.programme_code
LEFT JOIN recorded ON recorded.month = entering.month AND recorded.district_id = entering.district_id
    AND recorded.programme_code = entering.programme_code
LEFT JOIN balance ON balance.month = entering.month AND balance.district_id = entering.district_id
    AND balance.programme_code = entering.programme_code
"""
_ORDER = " ORDER BY entering.month, entering.district_id, programme.position"
# The balances of a file that are not written yet, against the records and the balances of other sources. A balance with
# the same figures is known and not entered again.
_OPENING = text(
    "WITH entering AS (SELECT CAST(facts->>'month' AS date) AS month, CAST(facts->>'district_id' AS smallint) AS district_id,"  # noqa: S608
    " facts->>'programme_code' AS programme_code, CAST(facts->>'person_times' AS bigint) AS person_times"
    " FROM import_line WHERE run_id = :run AND outcome = 'new' AND made_id IS NULL AND NOT EXISTS (SELECT"
    " FROM opening_balance AS held WHERE held.active AND held.month = CAST(facts->>'month' AS date)"
    " AND held.district_id = CAST(facts->>'district_id' AS smallint) AND held.programme_code = facts->>'programme_code'"
    " AND held.person_times = CAST(facts->>'person_times' AS bigint)"
    " AND held.certificates = CAST(facts->>'certificates' AS bigint)))"
    + _SUMS
    + "WHERE balance.month IS NOT NULL OR recorded.person_times > 0"
    + _ORDER
)
# The past trainings of a file against the balances.
_PAST = text(
    "WITH concerned AS (SELECT named.number, named.district_id, course.programme_code,"  # noqa: S608
    " date_trunc('month', named.days[array_length(named.days, 1)])::date AS month"
    " FROM import_offering AS named JOIN course ON course.id = named.course_id"
    " WHERE named.run_id = :run AND named.number IS NOT NULL AND EXISTS (SELECT FROM opening_balance AS held"
    " WHERE held.active AND held.district_id = named.district_id AND held.programme_code = course.programme_code"
    " AND held.month = date_trunc('month', named.days[array_length(named.days, 1)])::date)"
    "), entering AS (SELECT concerned.month, concerned.district_id, concerned.programme_code,"
    " count(*) FILTER (WHERE said.present <> 0) AS person_times FROM concerned"
    " JOIN import_line AS line ON line.run_id = :run AND line.number = concerned.number AND line.outcome = 'new'"
    " JOIN import_attendance AS said ON said.run_id = :run AND said.line = line.line GROUP BY 1, 2, 3)"
    + _SUMS
    + "WHERE balance.month IS NOT NULL AND entering.person_times > 0"
    + _ORDER
)


def lock(db: Session) -> None:
    """Keep other imports that could overlap from writing until this transaction ends."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def of_balances(db: Session, run: ImportRun) -> list[Overlap]:
    """Return the overlaps of a file of opening balances."""
    return [Overlap(*row) for row in db.execute(_OPENING, {"run": run.id})]


def of_past_trainings(db: Session, run: ImportRun) -> list[Overlap]:
    """Return the overlaps of a file of past trainings."""
    if not db.scalar(select(select(OpeningBalance.id).where(OpeningBalance.active).exists())):
        return []
    return [Overlap(*row) for row in db.execute(_PAST, {"run": run.id})]


def named(overlaps: Sequence[Overlap]) -> dict[str, list[str]]:
    """Return overlaps as the audit trail keeps them, the first `OVERLAPS_NAMED`; nothing where there are none."""
    return {"overlaps": [str(overlap) for overlap in overlaps[:OVERLAPS_NAMED]]} if overlaps else {}


def accept(run: ImportRun, overlaps: Sequence[Overlap]) -> None:
    """Store with the import which overlaps a user has seen and accepted."""
    if overlaps:
        run.tally = {**run.tally, "overlaps": len(overlaps), "overlapping": _size(run, overlaps)}


def are_decided(run: ImportRun, overlaps: Sequence[Overlap]) -> bool:
    """Tell whether a user has accepted these overlaps: not if there are more of them by now, or larger figures."""
    accepted, size = run.tally.get("overlaps", 0), run.tally.get("overlapping", 0)
    return len(overlaps) <= accepted and _size(run, overlaps) <= size


def _size(run: ImportRun, overlaps: Sequence[Overlap]) -> int:
    """The figures to which the file adds. Of past trainings the balances alone, because the import itself adds records."""
    return sum(overlap.balances if run.kind == "past" else overlap.existing for overlap in overlaps)
