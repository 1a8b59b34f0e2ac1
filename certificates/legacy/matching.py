"""Finding the people whose legacy certificates these are, without anybody's decision.

A certificate is a person's where ID number and name agree, or where phone and name agree and the phone of the record is
proven: a phone that somebody typed identifies nobody. Everything else waits for a person to decide (`waiting`). An
ID number that agrees beside another name is a conflict, which waits too. What a user set aside is left alone.

Every statement takes the certificates of one part: the rows of an import, the certificates of a few people, or a range of
ids. So a part is written in one short transaction, however many certificates there are.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from certificates.legacy import superseding
from certificates.legacy.models import LegacyCertificate, Match, Suggestion
from courses.imports.row_kind import LineRange
from courses.models.trainees import ID_NUMBER_COLUMN, Trainee
from lms.core import audit, clock, crypto

CHUNK = 20_000  # certificates of one transaction

# A course as its name is compared: 救护员证, 救护员证书 and 救护员培训班 all name the course 救护员.
_NAME = r"regexp_replace(lower(btrim({name})), '\s*(证书|证|培训班|培训|班|certificate|course|training)+$', '')"
# The type of the course with the printed name, else the one type of the programme.
_TYPES = """
WITH typed AS (SELECT programme_code, name_zh, name_en, certificate_type FROM course WHERE certificate_type IS NOT NULL),
named AS (
    SELECT programme_code, name, min(certificate_type) AS type
    FROM (
        SELECT programme_code, {name_zh} AS name, certificate_type FROM typed
        UNION ALL SELECT programme_code, {name_en}, certificate_type FROM typed
    ) AS both_names
    GROUP BY 1, 2 HAVING count(DISTINCT certificate_type) = 1
), single AS (
    SELECT programme_code, min(certificate_type) AS type FROM typed GROUP BY 1 HAVING count(DISTINCT certificate_type) = 1
), known AS (
    SELECT legacy.id, coalesce(named.type, single.type) AS type
    FROM legacy_certificate AS legacy
    LEFT JOIN named ON named.programme_code = legacy.programme_code AND named.name = {course}
    LEFT JOIN single ON single.programme_code = legacy.programme_code
    WHERE legacy.certificate_type IS NULL AND {part}
)
UPDATE legacy_certificate SET certificate_type = known.type FROM known
WHERE known.id = legacy_certificate.id AND known.type IS NOT NULL
"""
_MATCHED = """
UPDATE legacy_certificate AS legacy SET trainee_id = coalesce(holder.merged_into_id, holder.id),
    matched_how = '{how}', matched_at = :now, suggestion = NULL
FROM trainee AS holder
WHERE legacy.trainee_id IS NULL AND legacy.set_aside_at IS NULL AND legacy.erased_at IS NULL AND {part}
    AND holder.name_key = legacy.name_key AND holder.erased_at IS NULL AND {agrees}
RETURNING legacy.trainee_id
"""
_BY_NUMBER = (
    "legacy.id_number_index IS NOT NULL AND holder.id_number_index = legacy.id_number_index"
    " AND holder.id_type = legacy.id_type"
)
# Where two people prove one phone and have one name, nobody knows which of them it is. Two residents with different ID
# numbers are two people.
_BY_PHONE = """
legacy.phone_index IS NOT NULL AND holder.phone_index = legacy.phone_index AND holder.phone_proven_at IS NOT NULL
    AND NOT (coalesce(legacy.id_type, '') = 'resident' AND coalesce(holder.id_type, '') = 'resident')
    AND NOT EXISTS (
        SELECT FROM trainee AS other WHERE other.phone_index = holder.phone_index AND other.name_key = holder.name_key
        AND other.id <> holder.id AND other.phone_proven_at IS NOT NULL AND other.erased_at IS NULL
        AND other.merged_into_id IS NULL
    )
"""
# The person's ID number was corrected, so what agreed with the former one is the person's no more.
_RELEASED = text(
    "UPDATE legacy_certificate AS legacy SET trainee_id = NULL, matched_how = NULL, matched_at = NULL, superseded_by_id = NULL"
    " WHERE legacy.trainee_id = :person AND legacy.matched_how = 'id_number' AND legacy.erased_at IS NULL"
    " AND legacy.id_number_index <> ALL (CAST(:indexes AS bytea[])) RETURNING legacy.id, legacy.number"
)

# Why a certificate that nobody has is on the list of those that wait for a person. What says more is not overwritten.
_SUGGESTED = """
UPDATE legacy_certificate AS legacy SET suggestion = '{why}'
WHERE legacy.trainee_id IS NULL AND legacy.set_aside_at IS NULL AND legacy.erased_at IS NULL AND {unsaid} AND {part}
    AND EXISTS (SELECT FROM trainee AS holder WHERE {agrees} AND holder.erased_at IS NULL AND {people})
"""
_TWO_RESIDENTS = (
    "(coalesce(legacy.id_type, '') = 'resident' AND coalesce(holder.id_type, '') = 'resident'"
    " AND holder.id_number_index <> legacy.id_number_index)"
)
_NAMED = f"holder.name_key = legacy.name_key AND NOT {_TWO_RESIDENTS}"
_SUGGESTIONS = (
    (Suggestion.ID_NUMBER, "legacy.suggestion IS DISTINCT FROM 'id_number'", _BY_NUMBER),
    (
        Suggestion.PHONE,
        "coalesce(legacy.suggestion, 'name') = 'name' AND legacy.phone_index IS NOT NULL",
        f"holder.phone_index = legacy.phone_index AND {_NAMED}",
    ),
    (Suggestion.NAME, "legacy.suggestion IS NULL", _NAMED),
)
# The person was erased while the match waited for the record.
_ERASED = text(
    "UPDATE legacy_certificate AS legacy SET trainee_id = NULL, matched_how = NULL, matched_at = NULL, superseded_by_id = NULL"
    " FROM trainee AS holder WHERE holder.id = ANY (:people) AND holder.erased_at IS NOT NULL"
    " AND legacy.trainee_id = holder.id AND legacy.erased_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Part:
    """The certificates that a statement takes: an SQL condition on `legacy` and `holder`, and its parameters.

    people: whether the condition speaks of `holder`, so that it cannot say which certificates get a type.
    """

    condition: str
    values: Mapping[str, Any] = field(default_factory=dict)
    people: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """The certificates that were matched, by what agreed."""

    by_number: int = 0
    by_phone: int = 0

    def __add__(self, other: "Matched") -> "Matched":
        return Matched(self.by_number + other.by_number, self.by_phone + other.by_phone)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far `match_all` is: the id that it has reached, the last one, and what was matched so far."""

    reached: int
    last: int
    matched: Matched


def match_lines(db: Session, lines: LineRange) -> Matched:
    """Match the certificates that rows of an import just became."""
    condition = (
        "legacy.id IN (SELECT made_id FROM import_line AS line WHERE line.run_id = :run AND line.line > :first"
        " AND line.line <= :last AND line.outcome = 'new')"
    )
    return _match(db, Part(condition, lines.values))


def match_people(db: Session, trainee_ids: Collection[int]) -> Matched:
    """Match what waits for these people, whose ID number, name or proven phone is new, and let go of what was another's."""
    if not trainee_ids:
        return Matched()
    db.flush()
    _release(db, trainee_ids)
    return _match(db, Part("holder.id = ANY (:people)", {"people": sorted(trainee_ids)}, people=True))


def match_all(db: Session) -> Iterator[Progress]:
    """Match all certificates, one chunk after the other. The caller commits after each.

    Certificates get the type that the catalogue says, and holders' renewals supersede what was matched late.
    """
    last = db.scalar(select(func.max(LegacyCertificate.id))) or 0
    matched = Matched()
    for first in range(0, last, CHUNK):
        upto = min(last, first + CHUNK)
        matched += _match(db, Part("legacy.id > :first AND legacy.id <= :upto", {"first": first, "upto": upto}))
        superseding.settle_range(db, first, upto)
        yield Progress(upto, last, matched)


def set_types(db: Session, part: Part) -> None:
    """Give a certificate type to certificates of a part that have none, where the catalogue says which."""
    statement = _TYPES.replace("{part}", part.condition)
    for name in ("name_zh", "name_en"):
        statement = statement.replace(f"{{{name}}}", _NAME.replace("{name}", name))
    statement = statement.replace("{course}", _NAME.replace("{name}", "legacy.course"))
    db.execute(text(statement), dict(part.values))


def _release(db: Session, trainee_ids: Collection[int]) -> None:
    numbered = exists().where(
        LegacyCertificate.trainee_id == Trainee.id, LegacyCertificate.matched_how == Match.ID_NUMBER
    )
    holders = select(Trainee).where(Trainee.id.in_(trainee_ids), Trainee.erased_at.is_(None), numbered)
    for holder in db.scalars(holders.order_by(Trainee.id)):
        numbers = [number for row in (holder, *holder.merged_records) if (number := row.open_id_number()) is not None]
        if holder.id_type is None or not numbers:
            continue
        indexes = [index for number in numbers for index in crypto.cipher().blind_indexes(ID_NUMBER_COLUMN, number)]
        for row in db.execute(_RELEASED, {"person": holder.id, "indexes": indexes}):
            audit.record(
                db, "legacy_certificate.unlink", f"legacy_certificate:{row.id}", before={"trainee": holder.id},
                after={"number": row.number},
            )  # fmt: skip


def _match(db: Session, part: Part) -> Matched:
    if not part.people:
        set_types(db, part)
    numbered = _matched(db, part, "id_number", _BY_NUMBER)
    phoned = _matched(db, part, "name_and_phone", _BY_PHONE)
    for why, unsaid, agrees in _SUGGESTIONS:
        own, of_people = ("true", part.condition) if part.people else (part.condition, "true")
        statement = _SUGGESTED.replace("{why}", why.value).replace("{unsaid}", unsaid).replace("{agrees}", agrees)
        db.execute(text(statement.replace("{part}", own).replace("{people}", of_people)), dict(part.values))
    matched = Matched(len(numbered), len(phoned))
    if numbered or phoned:
        people = {*numbered, *phoned}
        superseding.settle(db, people)
        db.execute(_ERASED, {"people": sorted(people)})
        audit.record(
            db,
            "legacy_certificate.match",
            "legacy_certificate:matched",
            after={"id_number": len(numbered), "phone": len(phoned)},
        )
    return matched


def _matched(db: Session, part: Part, how: str, agrees: str) -> list[int]:
    statement = _MATCHED.replace("{part}", part.condition).replace("{how}", how).replace("{agrees}", agrees)
    return list(db.scalars(text(statement), {**part.values, "now": clock.now()}))
