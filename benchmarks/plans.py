"""Plans: each list of each role at a tenth of the size, or at the full one, reads no table of more than 10,000 rows whole.

The SELECTs that the rules of the lists send are explained as they are sent; nothing of them is written down here a second
time. A plan reads a table whole where a scan without a condition of an index feeds something that needs all of its rows:
a sort, a hash, an aggregate, or no LIMIT at all.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.orm import Session

from benchmarks.measurement import Measurement
from benchmarks.stage import Ground
from certificates import listings as certificates
from certificates.legacy import listings as legacy
from certificates.legacy import waiting
from certificates.legacy.listings import LegacyCertificateFilters
from certificates.legacy.waiting import WaitingFilters, WaitingGroup
from certificates.listings import CertificateFilters
from courses.enrolment import trainee_search
from courses.models.offerings import Offering
from courses.offerings import listings as offerings
from courses.offerings.listings import OfferingFilters, StateFilter
from instructors import register as instructors
from lms.accounts import audit_trail
from lms.accounts.audit_trail import TrailFilter
from lms.core import clock
from lms.core.messages import calling
from lms.core.paging import FIRST, Place
from lms.core.scope import EVERYTHING, Scope
from lms.organisations import register as organisations

LARGE = 10_000  # rows: a table of more is never read whole for a page
MOST = 6  # rows of a kind in the search of every page
PLACES = {"first page": FIRST, "last page": Place(last=True)}
WORDS = ("张伟", "zhang", "zw", "张伟 1985", "13800138000", "欧阳没有")
# A plan that stops early needs only a part of what it scans; these need all of it.
_NEED_ALL = {"Sort", "Hash", "Aggregate", "SetOp", "WindowAgg"}
List = Callable[[Session, Scope], object]


def measure(ground: Ground) -> Sequence[Measurement]:
    """Print each list of each role that reads a large table whole; their number, which must be none."""
    engine = ground.app.extensions["engine"]
    zone = ground.app.config["SETTINGS"].zone
    with Session(engine) as db:
        large = large_tables(db)
        whole = [
            f"{role}, {name}: {table}"
            for role, scope in scopes(db).items()
            for name, act in lists(role, zone).items()
            for table in sorted(read_whole(db, partial(act, db, scope), large))
        ]
    for line in whole:
        print(line)
    return [Measurement("lists that read a table of > 10,000 rows whole", len(whole), "lists", ceiling=0)]


def scopes(db: Session) -> Mapping[str, Scope]:
    """A scope of each role: of the districts and hosts with the most and the fewest offerings."""

    def ends(column: Any) -> tuple[int, int]:
        by_size = db.scalars(select(column).group_by(column).order_by(func.count(), column)).all()
        return by_size[-1], by_size[0]

    found = {"city": EVERYTHING, "auditor": Scope(everything=True, read_only=True)}
    for size, district, host in zip(
        ("largest", "smallest"), ends(Offering.district_id), ends(Offering.organisation_id), strict=True
    ):
        found[f"{size} district"] = Scope(district_ids=frozenset({district}), user_id=1)
        found[f"{size} host"] = Scope(organisation_ids=frozenset({host}), user_id=1)
    return found | {"instructor": Scope(instructor_user_id=1, user_id=1)}


def lists(role: str, zone: ZoneInfo) -> dict[str, List]:
    """The lists that a role sees, by name, as their views ask for them."""
    today = clock.branch_today()
    acts: dict[str, List] = {}
    for name, place in PLACES.items():
        for state in StateFilter:
            filters = OfferingFilters(state=state)
            acts[f"offerings, {state}, {name}"] = partial(_offerings, filters=filters, zone=zone, place=place)
        acts[f"certificates, {name}"] = partial(
            certificates.listing, filters=CertificateFilters(), today=today, place=place
        )
        if role != "instructor":
            acts[f"trainees, {name}"] = partial(_trainees, query="", place=place)
        if role in {"city", "auditor"}:
            acts[f"legacy certificates, {name}"] = partial(
                legacy.listing, filters=LegacyCertificateFilters(), place=place
            )
            acts[f"audit, {name}"] = partial(_audit, zone=zone, place=place)
    return acts | _searches(role)


def _searches(role: str) -> dict[str, List]:
    acts: dict[str, List] = {}
    for number in ("BJ-FR-2026-0000001", "京红救2015第00123号"):
        acts[f"search for certificate {number}"] = partial(certificates.of_number, number=number, most=MOST)
        if role in {"city", "auditor"}:
            acts[f"search for legacy certificate {number}"] = partial(legacy.of_number, number=number, most=MOST)
    for words in ("17", "初级急救", "红十字"):
        acts[f"search for offering {words}"] = partial(offerings.find, words=words, most=MOST)
    if role != "instructor":
        acts |= {f"search for {words}": partial(_trainees, query=words, place=FIRST) for words in WORDS}
        acts["search for host"] = partial(organisations.find, words="红十字", most=MOST)
        acts["search for instructor"] = partial(instructors.find, words="zhang", most=MOST)
        acts["people to call"] = partial(calling.list_due, page=1, site="")
    if role == "city":
        for group in WaitingGroup:
            acts[f"waiting legacy certificates, {group}"] = partial(
                waiting.listing, group=group, filters=WaitingFilters()
            )
    return acts


def large_tables(db: Session) -> set[str]:
    """The tables of more than `LARGE` rows."""
    db.execute(text("ANALYZE"))
    rows = db.scalars(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :large"), {"large": LARGE})
    return set(rows)


def read_whole(db: Session, act: Callable[[], object], large: set[str]) -> set[str]:
    """The large tables that the SELECTs of an act read whole, by their plans."""
    with _sent(db.connection()) as statements:
        act()
    found: set[str] = set()
    for statement, parameters in statements:
        [[plan]] = db.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).all()
        documents = json.loads(plan) if isinstance(plan, str) else plan
        found |= {table for table in whole_scans(documents[0]["Plan"]) if table in large}
    return found


def whole_scans(plan: Mapping[str, Any], *, limited: bool = False) -> Iterator[str]:
    """The tables that a plan, as EXPLAIN gives it in JSON, reads whole. limited: a LIMIT above it stops it early."""
    kind = plan["Node Type"]
    limited = (limited or kind == "Limit") and kind not in _NEED_ALL
    conditions = ("Index Cond", "TID Cond", "Recheck Cond")
    if "Relation Name" in plan and not limited and not any(name in plan for name in conditions):
        yield plan["Relation Name"]
    for child in plan.get("Plans", ()):
        # What is built before, or for a subplan that is hashed, is read to its end whatever limits the plan above it.
        apart = child.get("Parent Relationship") in {"InitPlan"} or "hashed" in plan.get("Filter", "")
        yield from whole_scans(child, limited=limited and not apart)


@contextmanager
def _sent(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        event.remove(connection, "before_cursor_execute", keep)


def _offerings(db: Session, scope: Scope, filters: OfferingFilters, zone: ZoneInfo, place: Place) -> object:
    return offerings.list_offerings(db, filters, scope, zone=zone, place=place)


def _trainees(db: Session, scope: Scope, query: str, place: Place) -> object:
    return trainee_search.search(db, query, scope, place)


def _audit(db: Session, _scope: Scope, zone: ZoneInfo, place: Place) -> object:
    return audit_trail.listing(db, TrailFilter(), zone, place)
