"""Telling people of one name apart: what stands after a name that two people of a list share.

The hint is the shortest detail that only this one of them has: the end of the phone, else the birth year, else the district
that registered the person, else the end of the ID number, else the number of the enrolment. 张伟 ··5678 and 张伟 ··1234;
two sons with their mother's phone are 李强 2001 and 李强 2004. A name that nobody shares has no hint.

Where names are masked, people share a name as soon as the masks are equal, and the hint holds two digits of a phone or of an
ID number and never four, because a device keeps it and a sheet lies open.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.trainees import ID_NUMBER_COLUMN, Trainee, open_phone
from lms.core import crypto
from lms.core.masks import mask_name
from lms.core.names import norm
from lms.organisations.models import District

DIGITS, MASKED_DIGITS = 4, 2


@dataclass(frozen=True)
class Namesake:
    """A person of a list with the details that may tell them apart. `enrolment_id`: the row; `person`: whose row it is.

    Two rows of one person, such as two certificates, are no namesakes.
    """

    enrolment_id: int
    person: int
    phone: str | None = None
    birth_year: int | None = None
    district: str | None = None
    id_number: str | None = None

    def details(self, digits: int) -> list[str]:
        """The details from the shortest to the longest, each as it is shown; the last one is always there."""
        return [
            *([f"··{self.phone[-digits:]}"] if self.phone else []),
            *([str(self.birth_year)] if self.birth_year else []),
            *([self.district] if self.district else []),
            *([f"ID ··{self.id_number[-digits:]}"] if self.id_number else []),
            f"№ {self.enrolment_id}",
        ]


def shared_names(names: Mapping[int, str], *, masked: bool = False) -> list[list[int]]:
    """The rows of each name that more than one row has."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in names.items():
        rows[norm(mask_name(name) if masked else name)].append(row)
    return [each for each in rows.values() if len(each) > 1]


def tell_apart(namesakes: Collection[Namesake], *, masked: bool = False) -> dict[int, str]:
    """The hint for each row of people who share one name. The hints of two people are never equal."""
    digits = MASKED_DIGITS if masked else DIGITS
    first_rows: dict[int, Namesake] = {}
    for row in sorted(namesakes, key=lambda row: row.enrolment_id):
        first_rows.setdefault(row.person, row)
    details = {person: row.details(digits) for person, row in first_rows.items()}
    owners = Counter(detail for own in details.values() for detail in set(own))
    hints = {person: next((each for each in own if owners[each] == 1), own[-1]) for person, own in details.items()}
    return {row.enrolment_id: hints[row.person] for row in namesakes}


def hints(db: Session, names: Mapping[int, str], *, masked: bool = False) -> dict[int, str]:
    """The hints of a list, by enrolment id: only of those whose name another person of the list has.

    names: the name of each enrolment. One statement where names are shared, and none where all names differ.
    """
    return _of_groups(db, shared_names(names, masked=masked), masked=masked)


def beside(db: Session, enrolment_ids: Collection[int]) -> dict[int, str]:
    """The hints of these enrolments, each among all people of its own offering; cancelled enrolments count for nobody."""
    own, trainee, other, namesake = aliased(Enrolment), aliased(Trainee), aliased(Enrolment), aliased(Trainee)
    if not enrolment_ids:
        return {}
    rows = db.execute(
        select(other.offering_id, namesake.name_key, other.id)
        .select_from(own)
        .join(trainee, trainee.id == own.trainee_id)
        .join(other, other.offering_id == own.offering_id)
        .join(namesake, (namesake.id == other.trainee_id) & (namesake.name_key == trainee.name_key))
        .where(own.id.in_(enrolment_ids), (other.state != EnrolmentState.CANCELLED) | (other.id == own.id))
        .distinct()
    )
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for offering_id, name_key, enrolment_id in rows:
        groups[offering_id, name_key].append(enrolment_id)
    told = _of_groups(db, [group for group in groups.values() if len(group) > 1])
    return {row: told[row] for row in enrolment_ids if row in told}


def told_name(db: Session, enrolment: Enrolment) -> str:
    """The name of an enrolment's trainee as a title or a message says it: with the hint, where there is one."""
    return " ".join(filter(None, (enrolment.trainee.name, beside(db, [enrolment.id]).get(enrolment.id))))


def _of_groups(db: Session, groups: Sequence[Sequence[int]], *, masked: bool = False) -> dict[int, str]:
    """The hints of rows that share a name; none where all rows of the name are of one person."""
    people = _read(db, [row for group in groups for row in group]) if groups else {}
    told: dict[int, str] = {}
    for group in groups:
        namesakes = [people[row] for row in group if row in people]
        if len({row.person for row in namesakes}) > 1:
            told |= tell_apart(namesakes, masked=masked)
    return told


def _read(db: Session, enrolment_ids: Collection[int]) -> dict[int, Namesake]:
    """Read columns and no objects: on a device nearly each name of a large class shares its mask with another."""
    rows = db.execute(
        select(
            Enrolment.id,
            Trainee.id,
            Trainee.ref,
            Trainee.phone_sealed,
            Trainee.birth_year,
            District.name_zh,
            Trainee.id_number_sealed,
        )
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(District, District.id == Trainee.district_id)
        .where(Enrolment.id.in_(enrolment_ids))
    )
    decrypt = crypto.cipher().decrypt
    return {
        enrolment_id: Namesake(
            enrolment_id,
            person,
            open_phone(ref, phone),
            birth_year,
            district,
            decrypt(ID_NUMBER_COLUMN, ref, id_number) if id_number else None,
        )
        for enrolment_id, person, ref, phone, birth_year, district, id_number in rows
    }
