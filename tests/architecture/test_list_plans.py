"""Plans of the lists: whatever the size, an index leads to the rows of a page.

The tables of the tests are small, so the planner is told that they are large, and sequential scans are forbidden to it; where
it plans one all the same, no index could have served the list. `python -m benchmarks plans` looks at the plans as they are, at
a tenth of the size.
"""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks import plans
from courses.enrolment import trainee_search
from lms.core import clock
from tests.factories import Make

GROWING = {
    "attendance", "attendance_event", "audit_entry", "certificate", "course_session", "enrolment", "legacy_certificate",
    "offering", "person_time_entry", "session_instructor", "trainee",
}  # fmt: skip
ZONE = clock.in_branch(clock.now()).tzinfo


def test_no_list_of_a_role_reads_a_growing_table_whole(
    db: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainee_search, "FEW_OFFERINGS", -1)  # as a scope of many, which no set is read for
    for district in (1, 2, 2):
        make.enrolment(make.offering(organisation=make.organisation(district)))
    # To the planner each page of these tables holds a million rows, whatever statistics earlier tests have left.
    db.execute(
        text("UPDATE pg_class SET relpages = 1, reltuples = 1000000 WHERE relname = ANY(:tables) AND relkind = 'r'"),
        {"tables": sorted(GROWING)},
    )
    for way in ("seqscan", "hashjoin", "mergejoin"):  # which pay only where tables are as small as these
        db.execute(text(f"SET LOCAL enable_{way} = off"))
    whole = [
        f"{role}, {name}: {table}"
        for role, scope in plans.scopes(db).items()
        for name, act in plans.lists(role, ZONE).items()  # type: ignore[arg-type]
        for table in plans.read_whole(db, partial(act, db, scope), GROWING)
    ]
    assert whole == [], "\n".join(whole)


SCAN = {"Node Type": "Seq Scan", "Relation Name": "trainee"}


@pytest.mark.parametrize(
    ("plan", "tables"),
    [
        (SCAN, ["trainee"]),
        ({"Node Type": "Limit", "Plans": [SCAN]}, []),
        ({"Node Type": "Limit", "Plans": [{"Node Type": "Sort", "Plans": [SCAN]}]}, ["trainee"]),
        ({"Node Type": "Limit", "Plans": [SCAN | {"Filter": "(hashed SubPlan 1)", "Plans": [SCAN]}]}, ["trainee"]),
        ({"Node Type": "Sort", "Plans": [SCAN | {"Index Cond": "(id = 1)"}]}, []),
    ],
)
def test_a_whole_scan_is_told_from_one_that_stops(plan: dict[str, object], tables: list[str]) -> None:
    assert list(plans.whole_scans(plan)) == tables
