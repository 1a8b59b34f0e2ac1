"""Telling people of one name apart: what stands after a name that two people of a list share.

The hint is the shortest detail that only this one of them has: the end of the phone, else the birth year, else the district
that registered the person, else the end of the ID number, else the number of the enrolment. 张伟 ··5678 and 张伟 ··1234;
two sons with their mother's phone are 李强 2001 and 李强 2004. A name that nobody shares has no hint.

Where names are masked, people share a name as soon as the masks are equal, and the hint holds two digits of a phone or of an
ID number and never four, because a device keeps it and a sheet lies open.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.trainees import Trainee
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


def shared_names(names: Iterable[tuple[int, int, str]], *, masked: bool = False) -> dict[str, list[int]]:
    """The names that two people share, with the enrolments of each. `names`: enrolment, person, name."""
    enrolments: dict[str, list[int]] = defaultdict(list)
    people: dict[str, set[int]] = defaultdict(set)
    for enrolment_id, person, name in names:
        key = norm(mask_name(name) if masked else name)
        enrolments[key].append(enrolment_id)
        people[key].add(person)
    return {key: rows for key, rows in enrolments.items() if len(people[key]) > 1}


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


def hints(db: Session, names: Mapping[int, str] | Iterable[tuple[int, str]], *, masked: bool = False) -> dict[int, str]:
    """The hints of a list, by enrolment id: only of those whose name another person of the list has.

    names: the name of each enrolment. One statement where names are shared, and none where all names differ.
    """
    named = dict(names)
    shared = shared_names(((row, row, name) for row, name in named.items()), masked=masked)
    if not shared:
        return {}
    people = _read(db, [row for rows in shared.values() for row in rows])
    return {
        row: hint
        for rows in shared.values()
        for row, hint in _among([people[row] for row in rows if row in people], masked=masked).items()
    }


def beside(db: Session, enrolment_ids: Collection[int]) -> dict[int, str]:
    """The hints of these enrolments, each among all people of its own offering; cancelled enrolments count for nobody."""
    own, trainee, other, namesake = aliased(Enrolment), aliased(Trainee), aliased(Enrolment), aliased(Trainee)
    rows = db.execute(
        select(other.offering_id, namesake.name_key, other.id)
        .select_from(own)
        .join(trainee, trainee.id == own.trainee_id)
        .join(namesake, namesake.name_key == trainee.name_key)
        .join(other, (other.trainee_id == namesake.id) & (other.offering_id == own.offering_id))
        .where(own.id.in_(enrolment_ids), (other.state != EnrolmentState.CANCELLED) | (other.id == own.id))
        .distinct()
    )
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for offering_id, name_key, enrolment_id in rows:
        groups[offering_id, name_key].append(enrolment_id)
    shared = [group for group in groups.values() if len(group) > 1]
    people = _read(db, [row for group in shared for row in group]) if shared else {}
    return {
        row: hint
        for group in shared
        for row, hint in _among([people[row] for row in group if row in people]).items()
        if row in set(enrolment_ids)
    }


def told_name(db: Session, enrolment: Enrolment) -> str:
    """The name of an enrolment's trainee as a title or a message says it: with the hint, where there is one."""
    return " ".join(filter(None, (enrolment.trainee.name, beside(db, [enrolment.id]).get(enrolment.id))))


def _among(people: Collection[Namesake], *, masked: bool = False) -> dict[int, str]:
    """The hints of people of one name; none where all rows are of one person."""
    return tell_apart(people, masked=masked) if len({row.person for row in people}) > 1 else {}


def _read(db: Session, enrolment_ids: Collection[int]) -> dict[int, Namesake]:
    rows = db.execute(
        select(Enrolment.id, Trainee, District.name_zh)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(District, District.id == Trainee.district_id)
        .where(Enrolment.id.in_(enrolment_ids))
    )
    return {
        enrolment_id: Namesake(
            enrolment_id, trainee.id, trainee.phone, trainee.birth_year, district, trainee.open_id_number()
        )
        for enrolment_id, trainee, district in rows
    }
