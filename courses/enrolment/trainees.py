"""The register of trainees: one record for each person, no matter who registers the person or how often."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers, merged_records, record_notices, trainees_rights
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN, IdType, Trainee
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.masks import mask_email, mask_id, mask_name, mask_phone, without_names
from lms.core.names import clean, norm
from lms.core.scope import Scope
from lms.core.value_locks import lock_stripes

GUARDIAN_NEEDED_UNDER = 14  # years
NAME_LIMIT = 60
LOCK_CLASS = 0x7121  # of the advisory locks on phones and ID numbers of people


@dataclass(frozen=True)
class TraineeFacts:
    """The facts about a person, as a form or a file gives them.

    Phones are in E.164; `id_number` is a number of the kind `id_type`.
    """

    name: str
    phone: str | None = None
    email: str | None = None
    birth_year: int | None = None
    id_type: IdType | None = None
    id_number: str | None = field(default=None, repr=False)
    guardian_name: str | None = None
    guardian_phone: str | None = None


NOBODY = Scope()  # the scope of a visitor, who may change no record


class IdentityConflict(DomainError):
    """The refusal of an ID number that was entered with another name than its record's. It says nothing of the record."""

    def __init__(self) -> None:
        super().__init__(
            "identity_conflict",
            N_(
                "Name and ID number do not agree. Check the document. If both are right, hand the matter to the city, which"
                " decides."
            ),
            field="id_number",
        )


class PersonKnown(DomainError):
    """The refusal of a change that would make a record another person's."""

    def __init__(self) -> None:
        super().__init__(
            "person_known",
            N_(
                "These details cannot be saved here. Check the document. If they are right, hand the matter to the city."
            ),
        )


# Pages show these facts masked.
MASKED_FACTS = ("phone", "email", "id_number", "guardian_phone")
FACT_NAMES = ("name", "phone", "email", "birth_year", "id_number", "guardian_name", "guardian_phone")


@dataclass(frozen=True)
class Registration:
    """The result of registering a person.

    `created` tells whether the record is new. `filled` are the names of the facts that the record gained, and
    `differences` the names of those in which the given facts differ from the record.
    """

    trainee: Trainee
    created: bool
    filled: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


def validate(facts: TraineeFacts) -> TraineeFacts:
    """The facts in the form that is stored. Raises DomainError on the field at fault.

    A person is found again by phone or ID number, so one of them is required. A person who may be under 14 needs a
    guardian: where only the year of birth is known, the last day of that year is assumed.
    """
    facts = replace(facts, name=clean(facts.name), guardian_name=clean(facts.guardian_name or "") or None)
    if not norm(facts.name) or len(facts.name) > NAME_LIMIT:
        raise _invalid("name", N_("Enter the name, up to 60 characters."))
    today = clock.branch_today()
    number, id_type = facts.id_number or None, facts.id_type
    if number is not None:
        number = id_numbers.normalise(id_type or IdType.RESIDENT, number, today)
        id_type = id_type or IdType.RESIDENT
    if facts.phone is None and number is None:
        raise _invalid("phone", N_("Enter a phone number, or an ID number for a person without a phone."))
    birth_date = id_numbers.birth_date(id_type, number)
    birth_year = facts.birth_year or (birth_date.year if birth_date else None)
    if birth_year is not None and not id_numbers.EARLIEST_BIRTH_YEAR <= birth_year <= today.year:
        raise _invalid("birth_year", N_("Enter the year of birth as four digits, such as 1990."))
    if birth_date and facts.birth_year and birth_date.year != facts.birth_year:
        raise _invalid("birth_year", N_("The year of birth and the ID number do not match. Check both."))
    valid = replace(facts, id_type=id_type if number else None, id_number=number, birth_year=birth_year)
    if needs_guardian(valid) and not (facts.guardian_name and facts.guardian_phone):
        missing = "guardian_phone" if facts.guardian_name else "guardian_name"
        raise _invalid(missing, N_("For a child under 14, give a parent's or guardian's name and phone."))
    return valid


def needs_guardian(facts: TraineeFacts) -> bool:
    """Tell whether the person is, or may be, under 14 today."""
    today = clock.branch_today()
    born = id_numbers.birth_date(facts.id_type, facts.id_number)
    if born is not None:
        age = (today.year - born.year) - ((today.month, today.day) < (born.month, born.day))
        return age < GUARDIAN_NEEDED_UNDER
    return facts.birth_year is not None and today.year - facts.birth_year <= GUARDIAN_NEEDED_UNDER


def lock_people(db: Session, people: Iterable[TraineeFacts]) -> None:
    """Prevent other transactions from registering the same people until this one ends.

    Locks are taken in ascending order, so that two transactions which register the same people cannot deadlock. A
    caller that registers several people in one transaction calls this function first, before it locks an offering.
    """
    lock_stripes(db, LOCK_CLASS, (index for facts in people for index in _indexes(facts)))


def match(db: Session, facts: TraineeFacts) -> Trainee | None:
    """The record of the same person, or None. `match_all` has the rule."""
    return match_all(db, [facts])[0]


def match_all(db: Session, people: Sequence[TraineeFacts]) -> list[Trainee | None]:
    """The record of each person, or None, in one statement. `people` are valid facts.

    A record is of the same person when it has the same ID number, else when it has the same phone and the same name.
    But two residents' ID numbers that differ always belong to two people; other documents are reissued under new
    numbers. The former facts of a person whose two records were merged find the record that was kept.
    """
    cipher = crypto.cipher()
    phones = {facts.phone: cipher.blind_indexes(PHONE_COLUMN, facts.phone) for facts in people if facts.phone}
    numbers = {
        facts.id_number: cipher.blind_indexes(ID_NUMBER_COLUMN, facts.id_number) for facts in people if facts.id_number
    }
    rows = db.scalars(
        select(Trainee)
        .where(
            or_(
                Trainee.phone_index.in_(chain.from_iterable(phones.values())),
                Trainee.id_number_index.in_(chain.from_iterable(numbers.values())),
            )
        )
        .order_by(Trainee.id)
    ).all()
    by_number = {(row.id_type, row.id_number_index): row for row in rows}
    by_phone: dict[tuple[bytes | None, str], list[Trainee]] = defaultdict(list)
    for row in rows:
        by_phone[row.phone_index, row.name_key].append(row)

    def find_record(facts: TraineeFacts) -> Trainee | None:
        indexes = numbers[facts.id_number] if facts.id_number else ()
        record = next(filter(None, (by_number.get((facts.id_type, index)) for index in indexes)), None)
        if record is not None or not facts.phone:
            return record
        name = norm(facts.name)
        similar = [row for index in phones[facts.phone] for row in by_phone.get((index, name), ())]
        similar = [row for row in map(current, similar) if not _both_have_resident_numbers(row, facts)]
        return min(similar, key=lambda row: row.id, default=None)

    current = merged_records.resolver(db, rows)
    return [None if record is None else current(record) for record in map(find_record, people)]


def _both_have_resident_numbers(trainee: Trainee, facts: TraineeFacts) -> bool:
    return trainee.id_type == IdType.RESIDENT == facts.id_type


def find_differences(trainee: Trainee, facts: TraineeFacts) -> tuple[str, ...]:
    """The names of the given facts that differ from the record. A fact that the record lacks does not differ."""
    return tuple(
        name for name in _given_names(facts) if _is_recorded(trainee, name) and not _is_equal(trainee, facts, name)
    )


def find_or_create(
    db: Session, facts: TraineeFacts, *, district_id: int | None = None, scope: Scope = NOBODY
) -> Registration:
    """Register a person: find the person's record, or create it.

    A differing fact is never overwritten. Gaps of the record are filled only where `scope` may change it: by default, as for
    a visitor, they are not, because whoever knows name and phone could add an own e-mail address.
    Raises DomainError on the field at fault, and IdentityConflict.
    """
    facts = validate(facts)
    lock_people(db, [facts])
    return _create_or_fill(db, [facts], [match(db, facts)], district_id, scope)[0]


def register_all(
    db: Session, people: Sequence[TraineeFacts], district_id: int | None = None, *, scope: Scope = NOBODY
) -> list[Trainee]:
    """The records of several people, found or created in a few statements.

    `people` are valid facts of distinct people. Gaps are filled as `find_or_create` does.
    """
    lock_people(db, people)
    registrations = _create_or_fill(db, people, match_all(db, people), district_id, scope)
    return [registration.trainee for registration in registrations]


def register(db: Session, facts: TraineeFacts, district_id: int | None = None, *, scope: Scope = NOBODY) -> Trainee:
    """The record of a person, found or created. Raises DomainError on the field at fault, and IdentityConflict."""
    return find_or_create(db, facts, district_id=district_id, scope=scope).trainee


def is_conflict(record: Trainee | None, facts: TraineeFacts) -> bool:
    """Tell whether a record that was found for the facts has another name, also before a merge of two records.

    It was found by the ID number then, and whoever entered the number must not learn whose it is.
    """
    if record is None or record.name_key == norm(facts.name):
        return False
    return norm(facts.name) not in {merged.name_key for merged in record.merged_records}


def change(db: Session, trainee: Trainee, facts: TraineeFacts, scope: Scope, *, reason: str | None = None) -> None:
    """Correct a record. A fact that pages show masked (phone, e-mail, ID number) stays where no new value is given.

    Raises Denied `may_only_propose` where the scope does not cover all of the record, and as `overwrite` does.
    """
    trainees_rights.demand_change(db, trainee, scope)
    overwrite(db, trainee, complete(trainee, facts), reason=reason)


def complete(trainee: Trainee, facts: TraineeFacts, *, names: Sequence[str] = MASKED_FACTS) -> TraineeFacts:
    """The valid facts of a record after a correction, in which those of `names` without a new value stay.

    Raises DomainError on the field at fault.
    """
    recorded = facts_of(trainee)
    facts = replace(facts, **{name: getattr(facts, name) or getattr(recorded, name) for name in names})
    if facts.id_number == recorded.id_number:
        facts = replace(facts, id_type=recorded.id_type)
    return validate(facts)


def changed_names(trainee: Trainee, facts: TraineeFacts) -> list[str]:
    """The names of the facts in which complete facts differ from a record."""
    return [name for name in FACT_NAMES if not _is_equal(trainee, facts, name)]


def overwrite(db: Session, trainee: Trainee, facts: TraineeFacts, *, reason: str | None = None) -> None:
    """Set a record to complete facts, without asking who may do so, and tell the person's contacts.

    Raises PersonKnown when the new facts belong to another record.
    """
    lock_people(db, [facts])
    changed = changed_names(trainee, facts)
    if not changed:
        return
    other = match(db, facts)
    if trainee.erased_at is not None or (other is not None and other.id != trainee.id):
        raise PersonKnown
    name_before, contacts_before = trainee.name, record_notices.contacts_of(trainee)
    before = mask_for_audit(facts_of(trainee), changed)
    for name in changed:
        _set_fact(trainee, facts, name)
    db.flush()
    after, reason = mask_for_audit(facts, changed), without_names(reason, name_before, facts.name, facts.guardian_name)
    audit.record(db, "trainee.change", trainee, before=before, after=after, reason=reason)
    record_notices.tell_changed(db, trainee, contacts_before)
    record_notices.publish_identified(db, [trainee] if {"id_number", "name"} & set(changed) else [])


def masked_facts(trainee: Trainee) -> dict[str, str]:
    """The encrypted facts of a record in the masked form that pages show; an empty text for a fact without a value."""
    facts = facts_of(trainee)
    return {name: _MASKS[name](getattr(facts, name)) for name in MASKED_FACTS}


def mask_fact(name: str, value: object) -> str:
    """The value of one fact in the masked form that pages show."""
    text = "" if value is None else str(value)
    return _MASKS[name](text) if name in _MASKS else text


def _indexes(facts: TraineeFacts) -> list[bytes]:
    cipher = crypto.cipher()
    pairs = ((PHONE_COLUMN, facts.phone), (ID_NUMBER_COLUMN, facts.id_number))
    return [index for column, value in pairs if value for index in cipher.blind_indexes(column, value)]


def _create_or_fill(
    db: Session,
    people: Sequence[TraineeFacts],
    records: Sequence[Trainee | None],
    district_id: int | None,
    scope: Scope,
) -> list[Registration]:
    """Create the missing records and fill the gaps of those that the scope may change. Each change makes an audit entry.

    Raises IdentityConflict.
    """
    pairs = list(zip(people, records, strict=True))
    if any(is_conflict(record, facts) for facts, record in pairs):
        raise IdentityConflict
    with_gaps = {record.id for facts, record in pairs if record is not None and _gaps(record, facts)}
    fillable_ids = trainees_rights.changeable_ids(db, with_gaps, scope)
    registrations = []
    for facts, record in pairs:
        if record is None:
            trainee = Trainee(name=facts.name, name_key=norm(facts.name), district_id=district_id)
            db.add(trainee)
            registration = Registration(trainee, created=True, filled=_given_names(facts))
        else:
            gaps = _gaps(record, facts) if record.id in fillable_ids else ()
            differences = find_differences(record, facts)
            registration = Registration(record, created=False, filled=gaps, differences=differences)
        for name in registration.filled:
            _set_fact(registration.trainee, facts, name)
        registrations.append(registration)
    db.flush()
    for facts, registration in zip(people, registrations, strict=True):
        if registration.filled:
            action = "trainee.create" if registration.created else "trainee.fill"
            audit.record(db, action, registration.trainee, after=mask_for_audit(facts, registration.filled))
    record_notices.publish_identified(db, [each.trainee for each in registrations if "id_number" in each.filled])
    return registrations


def _gaps(record: Trainee, facts: TraineeFacts) -> tuple[str, ...]:
    """The names of the given facts that a record lacks."""
    return tuple(name for name in _given_names(facts) if not _is_recorded(record, name))


def facts_of(trainee: Trainee) -> TraineeFacts:
    """The facts of a record, in clear."""
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


def _given_names(facts: TraineeFacts) -> tuple[str, ...]:
    """The names of the facts that have a value."""
    return tuple(name for name in FACT_NAMES if getattr(facts, name))


def _is_recorded(trainee: Trainee, name: str) -> bool:
    return bool(trainee.id_number_sealed if name == "id_number" else getattr(trainee, name))


def _is_equal(trainee: Trainee, facts: TraineeFacts, name: str) -> bool:
    if name == "id_number":
        return (trainee.id_type, trainee.open_id_number()) == (facts.id_type, facts.id_number)
    if name == "email":
        return (trainee.email or "").lower() == (facts.email or "").lower()
    return bool((getattr(trainee, name) or None) == (getattr(facts, name) or None))


def _set_fact(trainee: Trainee, facts: TraineeFacts, name: str) -> None:
    if name == "id_number":
        trainee.set_id_number(facts.id_type, facts.id_number)
        return
    setattr(trainee, name, getattr(facts, name) or None)
    if name == "name":
        trainee.name_key = norm(facts.name)


_MASKS = {"phone": mask_phone, "guardian_phone": mask_phone, "email": mask_email, "id_number": mask_id}


def mask_for_audit(facts: TraineeFacts, names: Iterable[str]) -> dict[str, Any]:
    """The named facts in the masked form that the audit trail holds: the trail is never altered, also not by an erasure."""
    masks = _MASKS | {name: lambda value: mask_name(value) if value else value for name in ("name", "guardian_name")}
    masked = {name: masks.get(name, lambda value: value)(getattr(facts, name)) for name in names}
    if "id_number" in masked:
        masked["id_type"] = facts.id_type
    return masked


def _invalid(name: str, message: str) -> DomainError:
    return DomainError(f"{name}_wrong", message, status=422, field=name)
