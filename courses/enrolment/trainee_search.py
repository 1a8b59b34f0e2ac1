"""The search in the register of trainees, within a scope."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_, select, true
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers, merged_records, trainees_rights
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import ANONYMOUS_REF, ID_NUMBER_COLUMN, PHONE_COLUMN, IdType, Trainee
from lms.core import clock, crypto
from lms.core.errors import DomainError
from lms.core.name_search import Reading, TypedName, readings
from lms.core.paging import (
    FIRST,
    MANY,
    PAGE_SIZE,
    Count,
    KeyPage,
    Order,
    Part,
    Place,
    count_rows,
    page_by_key,
    page_of_set,
)
from lms.core.phones import normalise_phone
from lms.core.scope import EVERYTHING, Scope, visible

ORDERS = (
    Order("name", (Trainee.name_sound, Trainee.id)),
    Order("registered", (Trainee.id,)),
)
FEW_OFFERINGS = (
    500  # a scope of so many is a set of some ten thousand people, which is read faster than a register is walked
)
FEW_NAMED = 2000  # so many people of a name are looked up one by one
MOST_ENROLMENTS = 2 * MANY  # so many are read for a count of people that is beyond MANY
MOST_OF_A_NUMBER = 100  # people of one phone


def search(
    db: Session,
    query: str,
    scope: Scope,
    place: Place = FIRST,
    *,
    order: Order = ORDERS[0],
    size: int = PAGE_SIZE,
    counted: bool = True,
) -> KeyPage[Trainee]:
    """The trainees in the scope with a phone, an ID number, or the beginning of a name, of its pinyin or initials.

    A year beside a name is the year of birth, of those people of whom the scope may see it. The exact name comes first.
    An empty query lists all trainees in the scope in an order of `ORDERS`. counted: whether the people of a name are counted.
    """
    query = query.strip()
    if any(character.isdigit() for character in query) and (ids := ids_of_number(db, query)):
        numbered = select(Trainee.id).where(Trainee.id.in_(ids), Trainee.visible_to(scope))
        return _page_of_set(db, db.scalars(numbered.order_by(Trainee.name_sound, Trainee.id)).all(), place, size)
    typed = TypedName.of(query) if query else None
    if not scope.everything and is_of_few(db, scope):
        return _page_of_set(db, _ids_of_few(db, typed, scope, order), place, size)
    if typed is None:
        listed = Part(select(Trainee).where(Trainee.visible_to(scope)), order)
        return page_by_key(db, [listed], place, count=_count_all(db, scope), size=size)
    return _search_many(db, typed, scope, place, size, counted=counted)


def is_of_few(db: Session, scope: Scope) -> bool:
    """Tell whether a scope has few offerings, so that its people are read as a set."""
    offerings = select(literal(1)).select_from(Offering).where(Offering.visible_to(scope)).limit(FEW_OFFERINGS + 1)
    return (db.scalar(select(func.count()).select_from(offerings.subquery())) or 0) <= FEW_OFFERINGS


def ids_of_number(db: Session, query: str) -> Sequence[int]:
    """The ids of the people whose phone or ID number a text is, in any district."""
    ids: list[int] = []
    with suppress(ValueError):
        phone = crypto.index_is(Trainee.phone_index, PHONE_COLUMN, normalise_phone(query))
        ids += db.scalars(select(merged_records.CURRENT_ID).where(phone).limit(MOST_OF_A_NUMBER))
    for id_type in IdType:
        try:
            number = id_numbers.normalise(id_type, query, clock.branch_today())
        except DomainError:
            continue
        numbered = and_(Trainee.id_type == id_type, crypto.index_is(Trainee.id_number_index, ID_NUMBER_COLUMN, number))
        ids += db.scalars(select(merged_records.CURRENT_ID).where(numbered))
    return ids


def holders_of_ticket(db: Session, ticket: str, scope: Scope) -> Sequence[Trainee]:
    """The person of a ticket, if the scope covers the person."""
    holders = select(Enrolment.trainee_id).where(Enrolment.has_ticket(ticket))
    return db.scalars(visible(select(Trainee), Trainee, scope).where(Trainee.id.in_(holders))).all()


def _search_many(
    db: Session, typed: TypedName, scope: Scope, place: Place, size: int, *, counted: bool
) -> KeyPage[Trainee]:
    """A page of the people of a name, each way to read it walked along its own index until the page is full."""
    parts, countable = [], []
    earlier: list[ColumnElement[bool]] = []
    conditions = [Trainee.visible_to(scope), *_born_in(typed.year, scope)]
    for reading in _readings(typed):
        if db.scalar(select(Trainee.id).where(reading.condition).limit(1)) is None:
            continue
        found = and_(reading.condition, *map(not_, earlier))
        columns = (Trainee.name_sound, Trainee.id)
        order = Order("name", columns if reading.key is Trainee.name_sound else (reading.key, *columns))
        parts.append(Part(select(Trainee).where(found, *conditions), order))
        countable.append(select(Trainee.id).where(found))
        earlier.append(reading.condition)
    if former := _former_ids(db, typed):
        kept = Trainee.id.in_(former)
        parts.append(Part(select(Trainee).where(kept, *map(not_, earlier), *conditions), ORDERS[0]))
        countable.append(select(Trainee.id).where(kept, *map(not_, earlier)))
    # An index alone counts a name. Whom a scope covers, and who was born in a year, would be looked up for each person.
    exact = counted and scope.everything and typed.year is None
    count = count_rows(db, countable) if exact else Count(size, over=True)
    page = page_by_key(db, parts, place, count=count, size=size)
    return page if exact or page.before or page.after else replace(page, count=Count(len(page.rows)))


def _ids_of_few(db: Session, typed: TypedName | None, scope: Scope, order: Order) -> Sequence[int]:
    """The ids of the people of a scope of few, or of those of a name, in their order.

    The OFFSET keeps the planner from anything but looking each person of the set up: it knows nothing of how many people
    a name has, and would read all of a name in the whole register.
    """
    reach = Trainee.ids_among(scope).subquery("reach")
    columns = (Trainee.id, Trainee.name, Trainee.name_sound, Trainee.birth_year)
    person = (
        select(*columns)
        .where(Trainee.id == reach.c.id, Trainee.ref != ANONYMOUS_REF, Trainee.merged_into_id.is_(None))
        .correlate(reach)
        .offset(0)
        .lateral("trainee")
    )
    statement = select(person.c.id).select_from(reach.join(person, true()))
    if typed is None:
        key = person.c.id if order.columns == (Trainee.id,) else person.c.name_sound
        return db.scalars(statement.order_by(*Order("", (key, person.c.id), order.descending).by())).all()
    ids: list[int] = []
    ways = zip(readings(typed.name, person.c.name_sound, "trainee"), _readings(typed), strict=True)
    for of_set, of_register in ways:
        hits = count_rows(db, [select(Trainee.id).where(of_register.condition)], most=FEW_NAMED)
        if hits.over:
            named = statement.where(of_set.condition)
            named = named if typed.year is None else named.where(person.c.birth_year == typed.year)
            ids += db.scalars(named.order_by(of_set.key, person.c.name_sound, person.c.id)).all()
        elif hits.number:
            looked_up = select(Trainee.id).where(of_register.condition, Trainee.visible_to(scope))
            ids += db.scalars(looked_up.order_by(of_register.key, Trainee.name_sound, Trainee.id)).all()
    if former := _former_ids(db, typed):
        ids += db.scalars(select(Trainee.id).where(Trainee.id.in_(former), Trainee.visible_to(scope)))
    unique = list(dict.fromkeys(ids))
    if typed.year is None or not unique:
        return unique
    legible = set(db.scalars(select(Trainee.id).where(Trainee.id.in_(unique), *_born_in(typed.year, scope))))
    return [row_id for row_id in unique if row_id in legible]


def _former_ids(db: Session, typed: TypedName) -> Sequence[int]:
    """The ids of the people of whom another record had the name, before it was merged: an index has those records alone."""
    named = or_(false(), *(reading.condition for reading in _readings(typed)))
    former = select(Trainee.merged_into_id).where(Trainee.merged_into_id.is_not(None), named)
    return [row_id for row_id in db.scalars(former.limit(MOST_OF_A_NUMBER)) if row_id is not None]


def _readings(typed: TypedName) -> list[Reading]:
    return readings(typed.name, Trainee.name_sound, "trainee")


def _born_in(year: int | None, scope: Scope) -> list[ColumnElement[bool]]:
    return [] if year is None else [Trainee.birth_year == year, trainees_rights.is_covered(scope)]


def _page_of_set(db: Session, ids: Sequence[int], place: Place, size: int) -> KeyPage[Trainee]:
    page = page_of_set(ids, place, size=size)
    people = {row.id: row for row in db.scalars(select(Trainee).where(Trainee.id.in_(page.rows)))}
    return KeyPage([people[row_id] for row_id in page.rows], page.count, page.before, page.after)


def _count_all(db: Session, scope: Scope) -> Count:
    """The number of people of a scope that is not of few, up to `MANY`. A district's own register mostly is as large."""
    if scope.everything:
        return count_rows(db, [visible(select(Trainee.id), Trainee, scope)])
    if scope.district_ids:
        of_district = visible(select(Trainee.id), Trainee, EVERYTHING).where(scope.covers(district=Trainee.district_id))
        registered = count_rows(db, [of_district])
        if registered.over:
            return registered
    enrolled = select(Enrolment.trainee_id).join(Offering).where(Offering.visible_to(scope)).limit(MOST_ENROLMENTS)
    people = db.scalar(select(func.count(enrolled.subquery().c.trainee_id.distinct()))) or 0
    return Count(min(people, MANY), over=True)
