"""Many certificates at once: a list of codes, or of numbers with what proves the holder. Nothing of it is kept.

The answer to each line is what the pages say: a number that does not exist and a name that does not fit are one answer.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from certificates.legacy import legacy
from certificates.legacy.legacy import LegacyShown
from certificates.number import NumberScheme
from certificates.payload import DIGITS
from certificates.states import State
from certificates.verification import verification
from certificates.verification.verification import PublicKeys, Verdict
from lms.core.errors import N_, DomainError

MOST = 500
NO_MATCH = "no_match"
LEGACY = "legacy"

_CODE = re.compile(rf"(?<![0-9])[0-9]{{{DIGITS}}}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Question:
    """One line: a code (digits or the whole address), or a number; `proof` is the name or the end of the ID number."""

    certificate: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on a line. `name_fits` is None where no name was given, or there is nothing to compare it with.

    `legacy` is a certificate from before this system: our records speak for it, and no signed code.
    """

    question: Question
    verdict: Verdict
    name_fits: bool | None
    legacy: LegacyShown | None = None


def questions(rows: Sequence[tuple[int, list[str]]]) -> list[Question]:
    """The lines of a sheet: certificate, then name. A first line without any digit is its heading.

    Raises DomainError on the field `file`: `list_empty`, `list_too_long`.
    """
    lines = [_columns(cells) for _, cells in rows if cells and cells[0]]
    if lines and not re.search("[0-9]", lines[0][0]):
        lines = lines[1:]
    if not lines:
        raise DomainError("list_empty", N_("There is no certificate in the list."), status=422, field="file")
    check_length(len(lines))
    return [Question(certificate, proof) for certificate, proof in lines]


def _columns(cells: list[str]) -> tuple[str, str]:
    """Certificate and name; where both stand in one cell, as somebody typed them, the name follows the first space."""
    certificate, proof = cells[0], cells[1] if len(cells) > 1 else ""
    if proof:
        return certificate, proof
    first, _, rest = certificate.partition(" ")
    if "-" in first or code_in(first):
        return first, rest
    number, _, name = certificate.rpartition(" ")
    # A legacy number is any text; what stands last and has no digit is the name.
    return (number, name) if re.search("[0-9]", number) and not re.search("[0-9]", name) else (certificate, "")


def check_length(number: int) -> None:
    """Raises DomainError `list_too_long`."""
    if number > MOST:
        raise DomainError(
            "list_too_long",
            N_("A list has at most %(most)s certificates."),
            status=422,
            field="file",
            most=MOST,
        )


def code_in(text: str) -> str | None:
    """The 198 digits in a text, as in a whole address."""
    found = _CODE.search(unicodedata.normalize("NFKC", text))
    return found.group() if found else None


def answers(
    db: Session, asked: Sequence[Question], *, today: date, keys: PublicKeys, scheme: NumberScheme
) -> Iterator[Answer]:
    """One answer a line, in order. Codes that are alarming raise their alarm."""
    for question in asked:
        yield _answer(db, question, today=today, keys=keys, scheme=scheme)


def _answer(db: Session, question: Question, *, today: date, keys: PublicKeys, scheme: NumberScheme) -> Answer:
    digits = code_in(question.certificate)
    by_code = digits is not None
    if digits is None:
        try:
            found = legacy.by_hand(db, question.certificate, question.proof, scheme=scheme, today=today)
        except DomainError:
            return Answer(question, Verdict(State.UNKNOWN, NO_MATCH), None)
        if isinstance(found, LegacyShown):
            return Answer(question, Verdict(found.state, LEGACY), True, found)
        digits = found
    verdict = verification.verify(db, digits, today=today, keys=keys)
    if verdict.alarming:
        verification.alarm(db, digits)
    fits = verification.name_fits(verdict, question.proof) if by_code and question.proof else None
    return Answer(question, verdict, True if not by_code else fits)
