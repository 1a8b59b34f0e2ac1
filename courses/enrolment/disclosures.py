"""Disclosures: showing a phone or an ID number in clear, for a reason that is recorded, so many times a day."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import daily_counts, trainees_rights
from courses.models.daily_counts import CountedAct
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.languages import chinese
from lms.core.scope import Scope, visible

_CHINESE = re.compile("[\u3400-\u9fff]")
SENTENCE_LETTERS = 10
SENTENCE_CHINESE = 6
DIFFERENT_LETTERS = 4


class ReadReason(StrEnum):
    """The reasons for reading a phone or an ID number. `OTHER` needs a sentence."""

    CALL = "call"
    IDENTITY = "identity"
    CORRECT = "correct"
    ASKED = "asked"
    OTHER = "other"


REASON_LABELS = {
    ReadReason.CALL: N_("Call about this training"),
    ReadReason.IDENTITY: N_("Check the identity for a certificate"),
    ReadReason.CORRECT: N_("Correct the record"),
    ReadReason.ASKED: N_("The person asked for it"),
    ReadReason.OTHER: N_("Another reason"),
}


@dataclass(frozen=True)
class Reading:
    """A request to read: the reason, its sentence, the day in the branch's calendar, and how many reads a day allows."""

    reason: ReadReason
    sentence: str
    today: date
    limit: int


@dataclass(frozen=True)
class Phones:
    """The phones of a person in clear.

    `own` and `guardian` stand on the record; `given` were given for enrolments that the reader covers.
    """

    own: str | None
    guardian: str | None
    given: tuple[str, ...] = ()


def read_phones(db: Session, trainee: Trainee, reading: Reading, scope: Scope) -> Phones:
    """The phones of a person in clear, each read counted and audited.

    Whoever may not change the record reads only the phones that were given for enrolments in the scope. Raises DomainError
    on the fields `reason` and `sentence`, and `too_many_reads`.
    """
    may_change = trainees_rights.may_change(db, trainee, scope)
    _count(db, trainee, reading, "trainee.read_phone")
    enrolments = db.scalars(visible(select(Enrolment), Enrolment, scope).where(Enrolment.trainee_id == trainee.id))
    given = dict.fromkeys(phone for enrolment in enrolments if (phone := enrolment.phone))
    if not may_change:
        return Phones(None, None, tuple(given))
    own, guardian = trainee.phone, trainee.guardian_phone
    return Phones(own, guardian, tuple(phone for phone in given if phone not in {own, guardian}))


def read_id_number(db: Session, trainee: Trainee, reading: Reading, scope: Scope) -> str:
    """The ID number of a person in clear, each read counted and audited.

    Raises Denied `may_only_propose` for whoever may not change the record, DomainError `no_id_number`, and as
    `read_phones` does.
    """
    trainees_rights.demand_change(db, trainee, scope)
    number = trainee.open_id_number()
    if number is None:
        raise DomainError("no_id_number", N_("No ID number is registered for this trainee."))
    _count(db, trainee, reading, "trainee.read_id_number")
    return number


def reads_today(db: Session, today: date) -> int:
    """The number of reads of the acting user today."""
    return daily_counts.count_of(db, CountedAct.READ, audit.actor(db), today)


def is_sentence(text: str) -> bool:
    """Tell whether a text says something: at least 10 letters with a space, or 6 Chinese characters, and not one repeated.

    For example "call her back" and "家长来电询问" do; "x", "aaaaaaaa aaaaa" and "……" do not.
    """
    letters = [letter for letter in text if letter.isalnum()]
    if len(set(letters)) < DIFFERENT_LETTERS:
        return False
    if len(_CHINESE.findall(text)) >= SENTENCE_CHINESE:
        return True
    return len(text.strip()) >= SENTENCE_LETTERS and " " in text.strip()


def _count(db: Session, trainee: Trainee, reading: Reading, action: str) -> None:
    sentence = " ".join(reading.sentence.split())
    if reading.reason is ReadReason.OTHER and not is_sentence(sentence):
        raise DomainError(
            "sentence_wrong",
            N_("Say in a few words what you need it for. It is recorded with your name."),
            status=422,
            field="sentence",
        )
    number = daily_counts.add(db, CountedAct.READ, audit.actor(db), reading.today)
    if number > reading.limit:
        raise DomainError(
            "too_many_reads",
            N_(
                "You have read as many phones and ID numbers today as one day allows. Try again tomorrow, or ask the city."
            ),
            status=429,
        )
    label = REASON_LABELS[reading.reason]
    reason = f"{chinese().gettext(label)} / {label}"
    audit.record(db, action, trainee, reason=f"{reason}: {sentence}" if sentence else reason)
