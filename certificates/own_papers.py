"""Papers of the people whose records a proven contact opens: certificates and tickets, each with the way to its own page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from certificates import holding
from certificates.holding import HeldCertificate
from certificates.legacy import holding as legacy_holding
from certificates.legacy.holding import HeldLegacy
from certificates.states import State
from courses.enrolment import contact_records
from courses.enrolment.contact_records import OpenedRecords
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate with the ticket whose pages show it."""

    held: HeldCertificate
    ticket: str


@dataclass(frozen=True, slots=True)
class PersonPapers:
    """Papers of one person. `enrolments` are those without a certificate: coming classes, and classes that gave none yet.
    `legacy` are certificates from before this system, where the whole record is open.

    Certificates that another one replaced are left out, because their page shows the one that replaced them.
    """

    name: str
    certificates: Sequence[OwnCertificate]
    enrolments: Sequence[Enrolment]
    legacy: Sequence[HeldLegacy] = ()


def of_records(db: Session, records: OpenedRecords, *, zone: ZoneInfo) -> Sequence[PersonPapers]:
    """The papers of each person, people by the newest enrolment, papers newest first."""
    by_person: dict[int, list[Enrolment]] = defaultdict(list)
    for enrolment in contact_records.enrolments_of(db, records):
        by_person[enrolment.trainee_id].append(enrolment)
    for trainee_id in sorted(records.trainee_ids.difference(by_person)):
        by_person[trainee_id] = []
    people = [
        _of_person(db, db.get_one(Trainee, trainee_id), enrolments, trainee_id in records.trainee_ids, zone)
        for trainee_id, enrolments in by_person.items()
    ]
    return [person for person in people if person.certificates or person.enrolments or person.legacy]


def _of_person(
    db: Session, trainee: Trainee, enrolments: Sequence[Enrolment], whole: bool, zone: ZoneInfo
) -> PersonPapers:
    tickets = {enrolment.id: enrolment.ticket for enrolment in enrolments}
    if whole:
        held = [
            OwnCertificate(each, tickets[each.enrolment_id])
            for each in holding.of_trainee(db, trainee.id, zone=zone)
            if each.enrolment_id in tickets
        ]
    else:
        held = [
            OwnCertificate(each, ticket)
            for enrolment_id, ticket in tickets.items()
            if (each := holding.of_enrolment(db, enrolment_id, zone=zone)) is not None
        ]
    certified = {each.held.enrolment_id for each in held} | (set() if whole else _with_ticket(held, tickets))
    return PersonPapers(
        name=trainee.name,
        certificates=[each for each in held if each.held.state is not State.SUPERSEDED],
        enrolments=[enrolment for enrolment in enrolments if enrolment.id not in certified],
        legacy=[
            each
            for each in (legacy_holding.of_trainee(db, trainee.id, zone=zone) if whole else ())
            if each.state is not State.SUPERSEDED
        ],
    )


def _with_ticket(held: Sequence[OwnCertificate], tickets: dict[int, str]) -> set[int]:
    """The enrolments whose ticket shows one of these certificates, also where another class renewed it."""
    shown = {each.ticket for each in held}
    return {enrolment_id for enrolment_id, ticket in tickets.items() if ticket in shown}
