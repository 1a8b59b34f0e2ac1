"""Certificates with characters that no font has: found before they are issued, listed, and released once they can be printed.

A certificate is never issued blank or with boxes. `issuing` asks `lacking` for the texts of a certificate before it is signed,
and one that lacks anything waits (`hold`). `scan` finds what was issued or is coming with such characters, and `sift` takes
off the list what can be printed now: with another font, a corrected name, or a writing of the name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates.models import Certificate
from courses.enrolment import name_writings
from courses.models.enrolment import ACTIVE_STATES, Enrolment
from courses.models.name_writings import HOLDER, MissingGlyphs
from courses.models.offerings import Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import clock, fonts

BATCH = 2000
Lacking = dict[str, list[str]]  # by the text of a certificate, the characters that no font has
# The texts of `Certificate.facts` that are printed. The host is not.
PRINTED_FACTS = (
    "programme_zh", "programme_en", "course_zh", "course_en", "unit_zh", "unit_en", "instructor",
    "instructor_registration", "organisation_zh", "organisation_en", "qualification_zh", "qualification_en",
)  # fmt: skip
# The certificate is owed and waits: a condition over Enrolment, as are the two others.
WAITING: ColumnElement[bool] = Enrolment.certificate_due & Enrolment.certified_at.is_(None)
ISSUED: ColumnElement[bool] = Enrolment.certified_at.is_not(None)
COMING: ColumnElement[bool] = ~Enrolment.certificate_due & Enrolment.certified_at.is_(None)


def lacking(holder: str, facts: Mapping[str, Any]) -> Lacking:
    """The characters of a certificate that no font has, by text: `HOLDER`, or a key of `facts`."""
    texts = {HOLDER: holder} | {name: str(facts.get(name) or "") for name in PRINTED_FACTS}
    return {name: list(characters) for name, text in texts.items() if (characters := fonts.unprintable(text))}


def hold(db: Session, by_enrolment: Mapping[int, Lacking]) -> None:
    """List enrolments with the characters that no font has. One that is listed already gets its characters anew."""
    if not by_enrolment:
        return
    rows = [
        {"enrolment_id": enrolment_id, "lacking": characters, "found_at": clock.now()}
        for enrolment_id, characters in sorted(by_enrolment.items())
    ]
    statement = insert(MissingGlyphs)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[MissingGlyphs.enrolment_id], set_={"lacking": statement.excluded.lacking}
        ),
        rows,
    )


def release(db: Session, enrolment_ids: Iterable[int]) -> None:
    """Take enrolments off the list."""
    statement = delete(MissingGlyphs).where(MissingGlyphs.enrolment_id.in_(list(enrolment_ids)))
    db.execute(statement.execution_options(synchronize_session=False))


def sift(db: Session, today: date) -> int:
    """Look again at what is listed and does not wait to be issued, and return how many are off the list now.

    Those that wait are looked at by `issuing.release`, which has their texts.
    """
    listed = {
        enrolment_id: former
        for enrolment_id, former in db.execute(
            select(MissingGlyphs.enrolment_id, MissingGlyphs.lacking)
            .join(MissingGlyphs.enrolment)
            .where(~WAITING)
            .with_for_update(of=MissingGlyphs, skip_locked=True)
        )
    }
    if not listed:
        return 0
    still = dict(_coming(db, Enrolment.id.in_(listed))) | dict(_issued(db, today, Enrolment.id.in_(listed)))
    hold(db, {enrolment_id: texts for enrolment_id, texts in still.items() if texts != listed[enrolment_id]})
    gone = listed.keys() - still.keys()
    release(db, gone)
    return len(gone)


def scan(db: Session, today: date) -> int:
    """List every certificate in force that lacks a glyph, and return their number.

    For certificates that were issued before this was asked, and after a font was taken away. Changes nothing else.
    """
    return _list(db, _issued(db, today))


def scan_coming(db: Session) -> int:
    """List everybody enrolled in a class to come whose name lacks a glyph and has no writing. Returns their number."""
    return _list(db, _coming(db))


def _list(db: Session, source: Iterator[tuple[int, Lacking]]) -> int:
    number = 0
    while batch := dict(islice(source, BATCH)):
        hold(db, batch)
        number += len(batch)
    return number


def _issued(db: Session, today: date, *conditions: ColumnElement[bool]) -> Iterator[tuple[int, Lacking]]:
    """The certificates in force that lack a glyph, by enrolment."""
    columns = [Certificate.facts[name].astext.label(name) for name in PRINTED_FACTS]
    statement = (
        select(Certificate.enrolment_id, Certificate.holder_name, *columns)
        .join(Certificate.enrolment)
        .where(
            Certificate.superseded_by_id.is_(None),
            Certificate.revoked_at.is_(None),
            Certificate.erased_content.is_(None),
            or_(Certificate.valid_until.is_(None), Certificate.valid_until >= today),
            *conditions,
        )
    )
    for row in db.execute(statement.execution_options(yield_per=BATCH)):
        characters = lacking(row.holder_name, row._asdict())
        if characters:
            yield row.enrolment_id, characters


def _coming(db: Session, *conditions: ColumnElement[bool]) -> Iterator[tuple[int, Lacking]]:
    """The enrolments in classes to come whose names lack a glyph and have no writing."""
    statement = (
        select(Enrolment.id, Trainee.name)
        .join(Enrolment.trainee)
        .join(Enrolment.offering)
        .where(Enrolment.state.in_(ACTIVE_STATES), Offering.state == OfferingState.PUBLISHED, *conditions)
    )
    names = {}
    for enrolment_id, name in db.execute(statement.execution_options(yield_per=BATCH)):
        if fonts.unprintable(name):
            names[enrolment_id] = name
    decided: Sequence[int] = tuple(name_writings.chosen(db, names))
    for enrolment_id, name in names.items():
        if enrolment_id not in decided:
            yield enrolment_id, {HOLDER: list(fonts.unprintable(name))}
