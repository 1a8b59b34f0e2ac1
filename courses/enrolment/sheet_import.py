"""Enrolling the people of a list: a file or a pasted text is received, its rows are previewed and put right, and then it is
applied once.

Between receiving and applying the rows are stored encrypted. Each preview assesses the rows again, because other
enrolments happen in the meantime.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from courses.enrolment import (
    identity_conflicts,
    pending_lists,
    place_counts,
    places,
    prerequisites,
    sheet_facts,
    trainees,
    trainees_rights,
)
from courses.enrolment.pending_lists import PendingList
from courses.enrolment.prerequisites import HoldingStanding
from courses.enrolment.sheet import ListRow
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentImport, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import IdType, Trainee
from lms.core import audit, clock, crypto, fonts
from lms.core.errors import N_, DomainError
from lms.core.names import norm
from lms.core.scope import Scope, fetch

KEPT_FOR = timedelta(hours=24)


class RowVerdict(StrEnum):
    """The verdict on a row.

    new: the person will be registered and enrolled. known: the person has a record and will be enrolled. double: an
    earlier row is the same person. enrolled: the person is in the offering already. conflict: the ID number belongs to a
    record of another name. bad: the facts are not valid.
    """

    NEW = "new"
    KNOWN = "known"
    DOUBLE = "double"
    ENROLLED = "enrolled"
    CONFLICT = "conflict"
    BAD = "bad"


ACCEPTED = (RowVerdict.NEW, RowVerdict.KNOWN)


@dataclass(frozen=True)
class RowProblem:
    """The reason for rejecting a row: a msgid with its parameters, and the fact at fault (`column`) if it is one fact."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None


@dataclass(frozen=True)
class SheetRow:
    """A row of the file with its verdict.

    `facts` is None where the facts are not valid. `differences` are the names of the facts in which the row differs
    from the record of a known person. `converted`: the ID number had 15 digits. `record_id`: the record of a known
    person, where the user may change it.
    """

    number: int
    cells: Mapping[str, str]
    verdict: RowVerdict
    facts: TraineeFacts | None = None
    problem: RowProblem | None = None
    differences: tuple[str, ...] = ()
    converted: bool = False
    record_id: int | None = None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The characters of the name that no font of the certificate has. They refuse nothing: a name is what it is."""
        return fonts.unprintable(self.facts.name) if self.facts is not None else ()


@dataclass(frozen=True)
class Preview:
    """All rows of a list, in order, the number of free places in the offering, and the list as far as it is read."""

    rows: Sequence[SheetRow]
    free: int
    source: PendingList

    @property
    def accepted(self) -> Sequence[SheetRow]:
        """The rows whose people will be enrolled."""
        return [row for row in self.rows if row.verdict in ACCEPTED]

    @property
    def rejected(self) -> Sequence[SheetRow]:
        """The rows whose people will not be enrolled."""
        return [row for row in self.rows if row.verdict not in ACCEPTED]

    @property
    def waitlisted(self) -> int:
        """The number of people who would go on the waiting list."""
        return max(0, len(self.accepted) - self.free)


@dataclass(frozen=True)
class SheetImportResult:
    """The numbers of people whom an import enrolled, put on the waiting list and left out.

    All numbers are zero when the import had been applied before. `trainee_ids` are the people with a new enrolment.
    """

    enrolled: int = 0
    waitlisted: int = 0
    left_out: int = 0
    trainee_ids: tuple[int, ...] = ()


class ChangedElsewhere(DomainError):
    """The refusal to act by a page that shows the list as it no longer is."""


def receive(
    db: Session, offering: Offering, user_id: int, file_name: str, content: bytes, *, today: date
) -> EnrolmentImport | None:
    """Read a file and store its rows, encrypted, until they are applied. Raises DomainError on the field `file`.

    ID numbers whose records have other names are counted (today: the day in the branch's calendar). The result is None, and
    nothing is stored, when they pass the user's limit of the day. Rows that were stored longer than `KEPT_FOR` ago and not
    applied are wiped.
    """
    pending = EnrolmentImport(offering_id=offering.id, user_id=user_id, file_name=file_name[-120:])
    return _store(db, pending, pending_lists.of_file(content), today)


def receive_text(db: Session, offering: Offering, user_id: int, text: str, *, today: date) -> EnrolmentImport | None:
    """Read a pasted list as `receive` reads a file. Raises DomainError on the field `text`."""
    pending = EnrolmentImport(offering_id=offering.id, user_id=user_id, file_name="")
    return _store(db, pending, pending_lists.of_text(text), today)


def choose_sheet(db: Session, pending: EnrolmentImport, name: str, *, hidden: bool, today: date) -> bool:
    """Read a sheet of a pending file; hidden: with its hidden rows and columns. What was put right before is lost.

    Returns False, and changes nothing, after too many identity conflicts, as `receive` does.
    """
    current = _lock(db, pending)
    return _keep(db, pending, pending_lists.with_sheet(current, name, hidden=hidden), today)


def put_right(
    db: Session, pending: EnrolmentImport, line: int, cells: Mapping[str, str], *, was: str | None, today: date
) -> bool:
    """Replace the texts of a row's facts. was: `state_of` the row on the page, where it is known.

    Returns False as `choose_sheet` does. Raises NotFound, and ChangedElsewhere when the row is another by now.
    """
    current = _lock(db, pending)
    if was and any(row.line == line and pending_lists.state_of(row.cells) != was for row in current.rows):
        raise ChangedElsewhere(
            "row_changed", N_("Row %(row)s was changed in another window. Look at it again."), row=line
        )
    changed = pending_lists.with_row(current, line, cells)
    return _keep(db, pending, changed, today, [row for row in changed.rows if row.line == line])


def leave_out(db: Session, pending: EnrolmentImport, line: int) -> None:
    """Leave a row out, so that it is neither enrolled nor reported as one that cannot be. Raises NotFound."""
    current = _lock(db, pending)
    pending.content = pending_lists.seal(pending.ref, pending_lists.without_row(current, line))


def take_back(db: Session, pending: EnrolmentImport, line: int, *, today: date) -> bool:
    """Read a row that was left out, or taken for a note, as a person. Returns False as `choose_sheet` does. Raises NotFound."""
    current = _lock(db, pending)
    changed = pending_lists.with_row_again(current, line)
    return _keep(db, pending, changed, today, [row for row in changed.rows if row.line == line])


def get_pending(db: Session, offering_id: int, ref: str, scope: Scope) -> EnrolmentImport:
    """The user's own import for an offering, which is not applied yet.

    Raises NotFound, or DomainError `import_gone` when its rows are wiped.
    """
    pending = fetch(db, EnrolmentImport, ref, scope, by=EnrolmentImport.ref)
    if pending.offering_id != offering_id or pending.content is None:
        raise _gone()
    return pending


def preview(db: Session, pending: EnrolmentImport, scope: Scope) -> Preview:
    """The verdict on each row of a pending import, as of now.

    Rows tell in which facts they differ only from records that the scope may change.
    """
    source = pending_lists.unseal(pending)
    today = clock.branch_today()
    parsed = [_parse_row(row, today) for row in source.rows]
    valid = [row.facts for row in parsed if row.facts]
    records = dict(zip((id(facts) for facts in valid), trainees.match_all(db, valid), strict=True)) if valid else {}
    record_ids = {record.id for record in records.values() if record is not None}
    changeable_ids = trainees_rights.changeable_ids(db, record_ids, scope)
    enrolled_ids = places.enrolled_trainee_ids(db, pending.offering_id)
    rows: list[SheetRow] = []
    earlier_rows = _EarlierRows()
    for row in parsed:
        facts = row.facts
        if facts is None:
            rows.append(row)
            continue
        record = records[id(facts)]
        if trainees.is_conflict(record, facts):
            problem = RowProblem(trainees.IdentityConflict().message, column="id_number")
            rows.append(SheetRow(row.number, row.cells, RowVerdict.CONFLICT, facts, problem))
            continue
        same_person = earlier_rows.find_and_add(facts, record, row.number)
        if same_person is not None:
            problem = RowProblem(N_("The same person as in row %(row)s."), {"row": same_person})
            rows.append(SheetRow(row.number, row.cells, RowVerdict.DOUBLE, facts, problem))
        elif record is not None and record.id in enrolled_ids:
            problem = RowProblem(N_("This trainee is already enrolled in this offering."))
            rows.append(SheetRow(row.number, row.cells, RowVerdict.ENROLLED, facts, problem))
        elif record is not None:
            may_change = record.id in changeable_ids
            differences = trainees.find_differences(record, facts) if may_change else ()
            record_id = record.id if may_change else None
            rows.append(replace(row, verdict=RowVerdict.KNOWN, differences=differences, record_id=record_id))
        else:
            rows.append(row)
    return Preview(rows, place_counts.count_places(db, pending.offering).free, source)


def standings(db: Session, pending: EnrolmentImport, rows: Sequence[SheetRow]) -> dict[int, HoldingStanding]:
    """Return, by row, how the known people in reach stand against what the course demands to be held."""
    offering = pending.offering
    people = {row.record_id: row.number for row in rows if row.record_id is not None}
    by_person = prerequisites.standings(
        db, prerequisites.of_offering(offering), dict.fromkeys(people), day=prerequisites.last_day_of(offering)
    )
    return {people[trainee_id]: standing for trainee_id, standing in by_person.items()}


def apply(
    db: Session,
    pending: EnrolmentImport,
    scope: Scope,
    *,
    revision: str | None = None,
    may_split: bool | None = None,
) -> SheetImportResult:
    """Enrol the people of the accepted rows and wipe the stored rows. Applying an import again changes nothing.

    revision: that of the list on the page, where it is known. may_split: as in `places.enrol_all`; whoever enrols people for
    whom the places do not suffice has to say it. Raises ChangedElsewhere when the list was changed since, its sheet is not
    chosen yet, or that answer is missing; and DomainError as `places.enrol_all`.
    """
    db.refresh(pending, with_for_update=True)
    if pending.applied_at is not None or pending.content is None:
        return SheetImportResult()
    source = pending_lists.unseal(pending)
    if source.must_choose or revision not in {None, "", str(source.revision)}:
        raise ChangedElsewhere(
            "list_changed", N_("The list was changed in another window. Nobody was enrolled; look at the rows again.")
        )
    trainees.lock_people(db, [row.facts for row in preview(db, pending, scope).rows if row.facts])
    # Others may have registered or enrolled the same people before the lock was granted.
    final = preview(db, pending, scope)
    accepted = [row.facts for row in final.accepted if row.facts]
    if final.waitlisted and len(final.accepted) > 1 and may_split is None:
        raise ChangedElsewhere(
            "split_unknown",
            N_("There are not enough free places. Say whether these people stay together; nobody was enrolled yet."),
        )
    people = trainees.register_all(db, accepted, pending.offering.district_id, scope=scope)
    pairs = list(zip(people, accepted, strict=True))
    source_of_all = EnrolmentSource.IMPORT
    enrolments = places.enrol_all(db, pending.offering_id, pairs, source=source_of_all, may_split=may_split)
    states = [enrolment.state for enrolment in enrolments]
    pending.applied_at, pending.content = clock.now(), None
    db.flush()
    result = SheetImportResult(
        enrolled=states.count(EnrolmentState.ENROLLED),
        waitlisted=states.count(EnrolmentState.WAITLISTED),
        left_out=len(final.rows) + len(source.left_out) - len(enrolments),
        trainee_ids=tuple(enrolment.trainee_id for enrolment in enrolments),
    )
    audit.record(
        db,
        "enrolment.import",
        f"offering:{pending.offering_id}",
        after={"enrolled": result.enrolled, "waitlisted": result.waitlisted, "left_out": result.left_out},
    )
    return result


class _EarlierRows:
    """The people of the rows that have been assessed, compared by the same rule as in `trainees.match_all`."""

    def __init__(self) -> None:
        self._by_identity: dict[object, int] = {}
        self._by_phone_and_name: dict[object, list[tuple[int, bool]]] = defaultdict(list)

    def find_and_add(self, facts: TraineeFacts, record: Trainee | None, number: int) -> int | None:
        """Return the number of the first earlier row about the same person, or None; then add this row."""
        identities: list[object] = [(facts.id_type, facts.id_number)] if facts.id_number else []
        identities += [record.id] if record is not None else []
        is_resident = facts.id_type == IdType.RESIDENT
        same_person = [self._by_identity[identity] for identity in identities if identity in self._by_identity]
        if facts.phone:
            similar = self._by_phone_and_name[facts.phone, norm(facts.name)]
            # Two residents' ID numbers that differ are two people, even with the same phone and name.
            same_person += [row for row, other_is_resident in similar if not (is_resident and other_is_resident)]
            similar.append((number, is_resident))
        for identity in identities:
            self._by_identity.setdefault(identity, number)
        return min(same_person, default=None)


def _parse_row(row: ListRow, today: date) -> SheetRow:
    if row.unread:
        problem = RowProblem(N_("This was not understood: %(text)s. Put the row right."), {"text": row.unread})
        return SheetRow(row.line, row.cells, RowVerdict.BAD, problem=problem)
    try:
        facts = trainees.validate(sheet_facts.parse_facts(row.cells, today))
    except DomainError as error:
        problem = RowProblem(error.message, error.params, error.field)
        return SheetRow(row.line, row.cells, RowVerdict.BAD, problem=problem)
    converted = sheet_facts.is_converted(row.cells, facts, today)
    return SheetRow(row.line, row.cells, RowVerdict.NEW, facts, converted=converted)


def _store(db: Session, pending: EnrolmentImport, source: PendingList, today: date) -> EnrolmentImport | None:
    if not _count_conflicts(db, source.rows, today):
        return None
    db.execute(
        update(EnrolmentImport)
        .where(EnrolmentImport.created_at < clock.now() - KEPT_FOR, EnrolmentImport.content.is_not(None))
        .values(content=None)
    )
    pending.ref = crypto.token()
    pending.content = pending_lists.seal(pending.ref, source)
    db.add(pending)
    db.flush()
    return pending


def _lock(db: Session, pending: EnrolmentImport) -> PendingList:
    """The list of a pending import, which no other transaction can change until this one ends. Raises as `get_pending`."""
    db.refresh(pending, with_for_update=True)
    if pending.content is None:
        raise _gone()
    return pending_lists.unseal(pending)


def _keep(
    db: Session, pending: EnrolmentImport, changed: PendingList, today: date, rows: Sequence[ListRow] | None = None
) -> bool:
    """Store a changed list unless the ID numbers of its new rows pass the limit of the day. rows: the new ones, else all."""
    if not _count_conflicts(db, changed.rows if rows is None else rows, today):
        return False
    pending.content = pending_lists.seal(pending.ref, changed)
    db.flush()
    return True


def _count_conflicts(db: Session, rows: Sequence[ListRow], today: date) -> bool:
    """Count the ID numbers whose records have other names. Returns False when they pass the user's limit of the day."""
    valid = [parsed.facts for row in rows if (parsed := _parse_row(row, today)).facts]
    identity_conflicts.refuse_after_many(db, valid, today)
    records = trainees.match_all(db, valid) if valid else []
    conflicting = [
        record
        for facts, record in zip(valid, records, strict=True)
        if record is not None and trainees.is_conflict(record, facts)
    ]
    return not conflicting or identity_conflicts.count(db, conflicting, today)


def _gone() -> DomainError:
    return DomainError(
        "import_gone", N_("This list has already been enrolled, or is more than a day old. Send the file again.")
    )
