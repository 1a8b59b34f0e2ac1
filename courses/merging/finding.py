"""Finds pairs of records that may be of one person.

The rule, from the strongest reason to the weakest:

- One number of an identity document, registered as two kinds of document.
- One phone and one name. Registration finds such a record by itself; a pair comes from a later correction.
- One phone, and names that are read alike: 李晓明 and 李小明 of one phone.
- One reading of the name and one year of birth, at one host, and nothing that tells them apart: one of them has no phone (a
  person enrolled with a phone once and from a list with the ID number), or the phones end alike, or the e-mail address is one.

Pinyin and year of birth alone say nothing: there are hundreds of 张伟 of each year. Different ID numbers of residents,
different years of birth, and two records that were present in one class are two people.

The search runs at night over all phones and numbers, a range of ids at a time, each by an index. Of hosts, whose people
are read one by one, it takes those of the last days' classes and a thirtieth of all others. What it finds again stays,
what no longer holds goes, and a pair of which somebody said that it is two people is left alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.merges import TraineePair
from courses.models.offerings import Offering
from courses.models.trainees import ANONYMOUS_REF, IdType, Trainee, open_phone
from lms.core import clock

TRAINEES_PER_STEP = 20_000
MOST_OF_PHONE = 50  # records of one phone with other names that are compared with each
MOST_OF_HOST = 2_000  # pairs of one host that are compared
TAIL = 4
NIGHTS = 30  # within so many nights each host has its turn
_DAY = timedelta(days=1)
_FILE = Path(__file__).with_suffix(".sql")
_PARTS = re.split(r"^-- name: (\w+)$", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
_STATEMENTS = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))
WEIGHTS = {"id_number": 100, "phone_name": 90, "phone_sound": 70, "host_name": 50, "host_sound": 30}


class FoundPair(NamedTuple):
    """Two records, the lower id first, with the code of the reason (`WEIGHTS`)."""

    first_id: int
    second_id: int
    reason: str


def search(db: Session, *, all_hosts: bool = False) -> Iterator[int]:
    """Search anew, and yield the number of pairs after each step, which the caller commits.

    all_hosts: also those hosts whose turn is on another night; with ten years of classes that takes an hour.
    """
    started = clock.now()
    last = db.scalar(select(func.max(Trainee.id))) or 0
    for first in range(1, last + 1, TRAINEES_PER_STEP):
        upto = first + TRAINEES_PER_STEP - 1
        yield _store(db, [*_by_phone(db, first, upto), *_by_number(db, first, upto)], started)
    for host_id in _hosts(db, started, all_hosts=all_hosts):
        yield _store(db, list(of_host(db, host_id)), started)
    gone = (TraineePair.weight >= WEIGHTS["phone_sound"]) & (TraineePair.found_at < started)
    gone |= TraineePair.found_at < (started if all_hosts else started - (NIGHTS + 5) * _DAY)
    db.execute(delete(TraineePair).where(TraineePair.apart_at.is_(None), gone))
    yield 0


def _hosts(db: Session, started: datetime, *, all_hosts: bool) -> Sequence[int]:
    """The hosts of this night: those with a class that was closed of late, and those whose turn it is."""
    turn = Offering.organisation_id % NIGHTS == clock.branch_today().toordinal() % NIGHTS
    recent = Offering.closed_at > started - 2 * _DAY
    hosts = select(Offering.organisation_id).where(or_(turn, recent, literal(all_hosts))).distinct()
    return db.scalars(hosts.order_by(Offering.organisation_id)).all()


def of_person(db: Session, trainee: Trainee) -> list[FoundPair]:
    """The stored pairs of a person that nobody has decided on."""
    either = or_(TraineePair.first_id == trainee.id, TraineePair.second_id == trainee.id)
    rows = db.scalars(select(TraineePair).where(either, TraineePair.apart_at.is_(None)).limit(MOST_OF_PHONE))
    return [FoundPair(row.first_id, row.second_id, reason) for row in rows for reason in row.reasons]


def of_host(db: Session, host_id: int) -> Iterator[FoundPair]:
    """The pairs of one host: one reading of the name, one year of birth, and nothing that tells the two apart."""
    for row in _rows(db, "host", {"host": host_id, "most": MOST_OF_HOST}):
        if row.phones and _tail(row.own_ref, row.own_phone) != _tail(row.other_ref, row.other_phone):
            continue
        yield FoundPair(row.first_id, row.second_id, row.reason)


def _by_phone(db: Session, first: int, last: int) -> Iterator[FoundPair]:
    for row in _rows(db, "phone", {"first": first, "last": last, "most": MOST_OF_PHONE}):
        yield FoundPair(row.first_id, row.second_id, row.reason)


def _by_number(db: Session, first: int, last: int) -> Iterator[FoundPair]:
    types = [id_type.value for id_type in IdType]
    for row in _rows(db, "id_number", {"first": first, "last": last, "types": types}):
        yield FoundPair(row.first_id, row.second_id, row.reason)


def _rows(db: Session, name: str, values: Mapping[str, Any]) -> Sequence[Any]:
    return db.execute(text(_STATEMENTS[name]), dict(values)).all()


def _tail(ref: Any, phone_sealed: bytes | None) -> str:
    return (open_phone(ref, phone_sealed) or "")[-TAIL:]


def _store(db: Session, found: Sequence[FoundPair], started: datetime) -> int:
    reasons: dict[tuple[int, int], set[str]] = {}
    nobody = db.scalar(select(Trainee.id).where(Trainee.ref == ANONYMOUS_REF))
    for pair in found:
        if nobody not in {pair.first_id, pair.second_id}:
            reasons.setdefault((pair.first_id, pair.second_id), set()).add(pair.reason)
    if not reasons:
        return 0
    rows = [
        {"first_id": first, "second_id": second, "reasons": sorted(codes, key=lambda code: -WEIGHTS[code]),
         "weight": max(WEIGHTS[code] for code in codes), "found_at": started}
        for (first, second), codes in sorted(reasons.items())
    ]  # fmt: skip
    statement = insert(TraineePair).values(rows)
    fresh = statement.excluded
    again = TraineePair.found_at >= started  # a step of this search has it, with a stronger reason
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[TraineePair.first_id, TraineePair.second_id],
            set_={
                "found_at": fresh.found_at,
                "reasons": fresh.reasons,
                "weight": func.greatest(fresh.weight, TraineePair.weight),
            },
            where=~again & TraineePair.apart_at.is_(None),
        )
    )
    return len(rows)
