"""Trainees: one person, one record, whoever registers them and however often."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, or_, select, text
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN, IdType, Trainee
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.masks import mask_email, mask_id, mask_phone
from lms.core.names import norm
from lms.core.paging import Page, page_of
from lms.core.phones import normalise_phone
from lms.core.scope import Scope, visible

GUARDED_UNDER = 14
NAME_LIMIT = 60
LOCK_CLASS = 0x7121
LOCK_STRIPES = 4096


@dataclass(frozen=True)
class TraineeFacts:
    """What somebody says about a person. Phones in E.164; `id_number` as it was typed, of the kind `id_type`."""

    name: str
    phone: str | None = None
    email: str | None = None
    birth_year: int | None = None
    id_type: IdType | None = None
    id_number: str | None = field(default=None, repr=False)
    guardian_name: str | None = None
    guardian_phone: str | None = None


MASKED = ("phone", "email", "id_number", "guardian_phone")
FACTS = ("name", "phone", "email", "birth_year", "id_number", "guardian_name", "guardian_phone")


@dataclass(frozen=True)
class Registered:
    """What became of somebody's facts: the record, whether it is new, which facts it gained and which it disputes."""

    trainee: Trainee
    created: bool
    filled: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


def checked(facts: TraineeFacts) -> TraineeFacts:
    """The facts in the form that is kept. Raises DomainError naming the field at fault.

    A person is found again by phone or ID number, so one of them is needed. Whoever may still be under 14 needs a
    guardian: of the year of birth alone, the later birthday is assumed.
    """
    name = " ".join(facts.name.split())
    if not norm(name) or len(name) > NAME_LIMIT:
        raise _wrong("name", N_("Give the name, up to 60 characters."))
    today = clock.now().date()
    number, id_type = facts.id_number or None, facts.id_type
    if number is not None:
        number = id_numbers.canonical(id_type or IdType.RESIDENT, number, today)
        id_type = id_type or IdType.RESIDENT
    if facts.phone is None and number is None:
        raise _wrong("phone", N_("Give a phone number, or an ID number for somebody who has no phone."))
    born = id_numbers.born_on(id_type, number)
    year = facts.birth_year or (born.year if born else None)
    if year is not None and not id_numbers.EARLIEST_BIRTH_YEAR <= year <= today.year:
        raise _wrong("birth_year", N_("Give the year of birth as four digits, as in 1990."))
    if born and facts.birth_year and born.year != facts.birth_year:
        raise _wrong("birth_year", N_("The year of birth and the ID number do not agree. Check both."))
    done = replace(facts, name=name, id_type=id_type if number else None, id_number=number, birth_year=year)
    if needs_guardian(done) and not (facts.guardian_name and facts.guardian_phone):
        missing = "guardian_phone" if facts.guardian_name else "guardian_name"
        raise _wrong(missing, N_("For a child under 14, give a parent's or guardian's name and phone."))
    return done


def needs_guardian(facts: TraineeFacts) -> bool:
    """Whether the person is, or may be, under 14 today."""
    today = clock.now().date()
    born = id_numbers.born_on(facts.id_type, facts.id_number)
    if born is not None:
        return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) < GUARDED_UNDER
    return facts.birth_year is not None and today.year - facts.birth_year <= GUARDED_UNDER


def hold(db: Session, people: Iterable[TraineeFacts]) -> None:
    """Keep others from registering the same people until this transaction ends.

    Locks are taken in one order, so that two who register the same people never wait for each other in a circle; whoever
    registers many people in one transaction calls this first, before any offering is locked.
    """
    keys = sorted({int.from_bytes(index[:4]) % LOCK_STRIPES for facts in people for index in _indexes(facts)})
    db.execute(
        text(
            "SELECT pg_advisory_xact_lock(:class, key) FROM (SELECT unnest(CAST(:keys AS int[])) AS key ORDER BY 1) AS ordered"
        ).bindparams(keys=keys),
        {"class": LOCK_CLASS},
    )


def match(db: Session, facts: TraineeFacts) -> Trainee | None:
    """The record of the same person (see `match_all`)."""
    return match_all(db, [facts])[0]


def match_all(db: Session, people: Sequence[TraineeFacts]) -> list[Trainee | None]:
    """For each the record of the same person: same ID number, else same phone and same name. One statement.

    `people` are checked facts. Two residents' numbers that differ are two people, whatever else they share; other
    documents are reissued under new numbers.
    """
    cipher = crypto.cipher()
    phones = {facts.phone: cipher.blind_index(PHONE_COLUMN, facts.phone) for facts in people if facts.phone}
    numbers = {
        facts.id_number: cipher.blind_index(ID_NUMBER_COLUMN, facts.id_number) for facts in people if facts.id_number
    }
    rows = db.scalars(
        select(Trainee)
        .where(or_(Trainee.phone_index.in_(phones.values()), Trainee.id_number_index.in_(numbers.values())))
        .order_by(Trainee.id)
    ).all()
    by_number = {(row.id_type, row.id_number_index): row for row in rows}
    by_phone: dict[tuple[bytes | None, str], list[Trainee]] = defaultdict(list)
    for row in rows:
        by_phone[row.phone_index, row.name_key].append(row)

    def one(facts: TraineeFacts) -> Trainee | None:
        same = by_number.get((facts.id_type, numbers[facts.id_number])) if facts.id_number else None
        if same is not None or not facts.phone:
            return same
        likely = by_phone.get((phones[facts.phone], norm(facts.name)), [])
        return next((row for row in likely if not _other_resident(row, facts)), None)

    return [one(facts) for facts in people]


def _other_resident(row: Trainee, facts: TraineeFacts) -> bool:
    return row.id_type == IdType.RESIDENT == facts.id_type


def differences(trainee: Trainee, facts: TraineeFacts) -> tuple[str, ...]:
    """Names of the facts that the record has otherwise."""
    return tuple(name for name in _said(facts) if _known(trainee, name) and not _same(trainee, facts, name))


def find_or_make(db: Session, facts: TraineeFacts, *, district_id: int | None = None, fill: bool = True) -> Registered:
    """Register a person: their one record, made when there is none, its gaps filled. What differs is told, never taken.

    fill: False for what a stranger says about a person we know; it could be anybody who knows a name and a phone.
    """
    facts = checked(facts)
    hold(db, [facts])
    return _settle(db, [facts], [match(db, facts)], district_id, fill=fill)[0]


def register_all(db: Session, people: Sequence[TraineeFacts], district_id: int | None = None) -> list[Trainee]:
    """The records of many people, no two of them the same, found or made in a few statements. `people` are checked facts."""
    hold(db, people)
    return [done.trainee for done in _settle(db, people, match_all(db, people), district_id, fill=True)]


def register(db: Session, facts: TraineeFacts, district_id: int | None = None) -> Trainee:
    """The one record of a person, found or made. Raises DomainError naming the field at fault."""
    return find_or_make(db, facts, district_id=district_id).trainee


def change(db: Session, trainee: Trainee, facts: TraineeFacts, *, reason: str | None = None) -> None:
    """Correct a record. What the screen shows masked (phones, e-mail, ID number) is kept where nothing new is given."""
    known = _facts_of(trainee)
    facts = replace(facts, **{name: getattr(facts, name) or getattr(known, name) for name in MASKED})
    if facts.id_number == known.id_number:
        facts = replace(facts, id_type=known.id_type)
    facts = checked(facts)
    hold(db, [facts])
    changed = [name for name in FACTS if not _same(trainee, facts, name)]
    if not changed:
        return
    other = match(db, facts)
    if other is not None and other.id != trainee.id:
        raise DomainError(
            "person_known", N_("Another trainee is registered with this ID number, or with this phone and name.")
        )
    before = _masked(_facts_of(trainee), changed)
    for name in changed:
        _take(trainee, facts, name)
    db.flush()
    audit.record(db, "trainee.change", trainee, before=before, after=_masked(facts, changed), reason=reason)


def read_phones(db: Session, trainee: Trainee, why: str) -> tuple[str | None, str | None]:
    """The trainee's and the guardian's phone in clear, for somebody who says why; each reading is audited."""
    why = _reason_to_read(why)
    audit.record(db, "trainee.read_phone", trainee, reason=why)
    return trainee.phone, trainee.guardian_phone


def read_id_number(db: Session, trainee: Trainee, why: str) -> str:
    """The ID number in clear, for somebody who says why they need it; each reading is audited."""
    why = _reason_to_read(why)
    number = trainee.open_id_number()
    if number is None:
        raise DomainError("no_id_number", N_("No ID number is registered for this trainee."))
    audit.record(db, "trainee.read_id_number", trainee, reason=why)
    return number


def _reason_to_read(why: str) -> str:
    why = why.strip()
    if not why:
        raise _wrong("why", N_("Say why you need it; the reason is kept with your name."))
    return why


def masked(trainee: Trainee) -> dict[str, str]:
    """What a screen shows of the sealed facts; an empty text where nothing is known."""
    facts = _facts_of(trainee)
    return {name: _MASKS[name](getattr(facts, name)) for name in MASKED}


def search(db: Session, words: str, scope: Scope, page: int = 1) -> Page[Trainee]:
    """Trainees in reach: part of a name, or a whole phone or ID number. Newest first; no words list everybody."""
    statement = visible(select(Trainee), Trainee, scope)
    words = words.strip()
    if words:
        statement = statement.where(or_(*_ways(words)))
    return page_of(db, statement.order_by(Trainee.id.desc()), page)


def _ways(words: str) -> list[Any]:
    cipher = crypto.cipher()
    key = norm(words)
    ways: list[Any] = [Trainee.name_key.contains(key, autoescape=True)] if key else [Trainee.name == words]
    with suppress(ValueError):
        ways.append(Trainee.phone_index == cipher.blind_index(PHONE_COLUMN, normalise_phone(words)))
    for id_type in IdType:
        try:
            number = id_numbers.canonical(id_type, words, clock.now().date())
        except DomainError:
            continue
        ways.append(
            and_(Trainee.id_type == id_type, Trainee.id_number_index == cipher.blind_index(ID_NUMBER_COLUMN, number))
        )
    return ways


def _indexes(facts: TraineeFacts) -> list[bytes]:
    cipher = crypto.cipher()
    pairs = ((PHONE_COLUMN, facts.phone), (ID_NUMBER_COLUMN, facts.id_number))
    return [cipher.blind_index(column, value) for column, value in pairs if value]


def _settle(
    db: Session,
    people: Sequence[TraineeFacts],
    known: Sequence[Trainee | None],
    district_id: int | None,
    *,
    fill: bool,
) -> list[Registered]:
    """Make the records that are missing and fill the gaps of the others; each change leaves an audit entry."""
    settled = []
    for facts, trainee in zip(people, known, strict=True):
        if trainee is None:
            row = Trainee(name=facts.name, name_key=norm(facts.name), district_id=district_id)
            db.add(row)
            settled.append(Registered(row, created=True, filled=_said(facts)))
        else:
            differs = differences(trainee, facts)
            gaps = tuple(name for name in _said(facts) if not _known(trainee, name)) if fill else ()
            settled.append(Registered(trainee, created=False, filled=gaps, differs=differs))
        for name in settled[-1].filled:
            _take(settled[-1].trainee, facts, name)
    db.flush()
    for facts, done in zip(people, settled, strict=True):
        if done.filled:
            action = "trainee.create" if done.created else "trainee.fill"
            audit.record(db, action, done.trainee, after=_masked(facts, done.filled))
    return settled


def _facts_of(trainee: Trainee) -> TraineeFacts:
    return TraineeFacts(
        name=trainee.name,
        phone=trainee.phone,
        email=trainee.email,
        birth_year=trainee.birth_year,
        id_type=trainee.id_type,
        id_number=trainee.open_id_number(),
        guardian_name=trainee.guardian_name,
        guardian_phone=trainee.guardian_phone,
    )


def _said(facts: TraineeFacts) -> tuple[str, ...]:
    return tuple(name for name in FACTS if getattr(facts, name))


def _known(trainee: Trainee, name: str) -> bool:
    return bool(trainee.id_number_sealed if name == "id_number" else getattr(trainee, name))


def _same(trainee: Trainee, facts: TraineeFacts, name: str) -> bool:
    if name == "id_number":
        return (trainee.id_type, trainee.open_id_number()) == (facts.id_type, facts.id_number)
    if name == "email":
        return (trainee.email or "").lower() == (facts.email or "").lower()
    return bool((getattr(trainee, name) or None) == (getattr(facts, name) or None))


def _take(trainee: Trainee, facts: TraineeFacts, name: str) -> None:
    if name == "id_number":
        trainee.set_id_number(facts.id_type, facts.id_number)
        return
    setattr(trainee, name, getattr(facts, name) or None)
    if name == "name":
        trainee.name_key = norm(facts.name)


_MASKS = {
    "phone": mask_phone,
    "guardian_phone": mask_phone,
    "email": mask_email,
    "id_number": mask_id,
}


def _masked(facts: TraineeFacts, names: Iterable[str]) -> dict[str, Any]:
    shown = {name: _MASKS.get(name, lambda value: value)(getattr(facts, name)) for name in names}
    if "id_number" in shown:
        shown["id_type"] = facts.id_type
    return shown


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(f"{name}_wrong", message, status=422, field=name)
