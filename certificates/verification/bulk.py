"""Bulk verification: many certificates at once, by code or by number with a proof of the holder.

Nothing is stored of a list of up to `AT_ONCE` items; a longer one is a job of the worker (`list_checks`).

The result of each item is what the pages say: a number that does not exist and a proof that is wrong give the same
answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from certificates.legacy.legacy import PublicLegacyCertificate
from certificates.number import NumberScheme
from certificates.states import PROOF_MISSING, UNREADABLE, State
from certificates.verification import alarms, look_up, verification
from certificates.verification.reading import digits_in
from certificates.verification.verification import PublicKeys, Verdict
from lms.core.cell_values import is_error, is_shortened
from lms.core.errors import N_, DomainError

AT_ONCE = 500  # items that are answered within the request
MAX_ITEMS = 5000
NO_MATCH = "no_match"
MISTYPED = "mistyped"
OTHER_KIND = "other_kind"
LEGACY = "legacy"
MALFORMED = "malformed"

SHORTENED = N_("Excel has shortened this number. Format the column as text and enter the number again.")
ERROR = N_("The cell holds an error of a formula.")


@dataclass(frozen=True, slots=True)
class BulkItem:
    """A certificate to verify: a code (digits or the whole address), or a number.

    `proof` is the holder's name or the last 6 characters of the ID number. `line` is the number of the row in the list, 0
    where there is none. `problem` is a msgid: the cell cannot be a certificate, such as a number that Excel has shortened;
    or `MALFORMED`: a program sent an entry that is none.
    `cells` is the whole row as it was sent.
    """

    certificate: str
    proof: str = ""
    line: int = field(default=0, compare=False)
    problem: str | None = field(default=None, compare=False)
    cells: Sequence[str] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The verdict on an item. `name_matches` is None where no name was given or there is nothing to compare it with.

    `legacy` is a certificate from before this system: our records vouch for it, and no signed code. `check` is the check
    character that a mistyped number would have.
    """

    item: BulkItem
    verdict: Verdict
    name_matches: bool | None
    legacy: PublicLegacyCertificate | None = None
    check: str = ""


def items(rows: Sequence[tuple[int, list[str]]], columns: tuple[int, int | None] | None = None) -> list[BulkItem]:
    """Return the items of a sheet. columns: the positions of certificate and proof; None for the first two, where both may
    stand in one cell and a first row without any digit is a heading. Rows without a certificate are left out.

    Raises DomainError on the field `file`: `list_empty`, `list_too_long`.
    """
    found = []
    for line, cells in rows:
        certificate, proof = _columns(cells) if columns is None else (_cell(cells, at) for at in columns)
        if certificate:
            found.append(BulkItem(certificate, proof, line, problem_of(certificate), cells))
    if columns is None and found and not re.search("[0-9]", found[0].certificate):
        found = found[1:]
    if not found:
        raise DomainError("list_empty", N_("There is no certificate in the list."), status=422, field="file")
    check_length(len(found))
    return found


def _cell(cells: list[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def problem_of(certificate: str) -> str | None:
    """Return the msgid of what is wrong with a cell that holds no certificate's number or code, None for any other."""
    if digits_in(certificate) is None and (is_shortened(certificate) or is_error(certificate)):
        return SHORTENED if is_shortened(certificate) else ERROR
    return None


def _columns(cells: list[str]) -> tuple[str, str]:
    """Split a row into certificate and name; where both stand in one cell, the name follows the first space."""
    certificate, proof = _cell(cells, 0), _cell(cells, 1)
    if proof:
        return certificate, proof
    first, _, rest = certificate.partition(" ")
    if "-" in first or digits_in(first):
        return first, rest
    number, _, name = certificate.rpartition(" ")
    # A legacy number is any text; the last word is the name if it has no digit.
    return (number, name) if re.search("[0-9]", number) and not re.search("[0-9]", name) else (certificate, "")


def check_length(number: int) -> None:
    """Check the number of items. Raises DomainError `list_too_long`."""
    if number > MAX_ITEMS:
        raise DomainError(
            "list_too_long",
            N_("A list has at most %(most)s certificates."),
            status=422,
            field="file",
            most=MAX_ITEMS,
        )


def verify(
    db: Session, bulk_items: Sequence[BulkItem], *, today: date, keys: PublicKeys, scheme: NumberScheme
) -> Iterator[BulkResult]:
    """Yield one result for each item, in order. Alarming codes raise their alarm."""
    for item in bulk_items:
        yield _verify_item(db, item, today=today, keys=keys, scheme=scheme)


def _verify_item(db: Session, item: BulkItem, *, today: date, keys: PublicKeys, scheme: NumberScheme) -> BulkResult:
    if item.problem is not None or not item.certificate:
        return BulkResult(item, Verdict(State.UNKNOWN, UNREADABLE), None)
    digits = digits_in(item.certificate)
    if digits is None:
        return _verify_number(db, item, today=today, keys=keys, scheme=scheme)
    verdict = _verdict(db, digits, today, keys)
    return BulkResult(item, verdict, verification.name_holds(db, verdict, item.proof) if item.proof else None)


def _verify_number(db: Session, item: BulkItem, *, today: date, keys: PublicKeys, scheme: NumberScheme) -> BulkResult:
    """Verify a number with a proof. A number of our scheme that does not exist and a wrong proof get the same answer."""
    if not item.proof:
        return BulkResult(item, Verdict(State.UNKNOWN, PROOF_MISSING), None)
    try:
        result = look_up.by_number(db, item.certificate, item.proof, scheme=scheme, today=today)
    except DomainError as error:
        if error.code == "certificate_number_mistyped":
            check = scheme.expected_check(item.certificate)
            return BulkResult(item, Verdict(State.UNKNOWN, MISTYPED), None, check=check)
        reason = NO_MATCH if scheme.has_form(item.certificate) else OTHER_KIND
        return BulkResult(item, Verdict(State.UNKNOWN, reason), None)
    if isinstance(result, PublicLegacyCertificate):
        return BulkResult(item, Verdict(result.state, LEGACY), True, result)
    return BulkResult(item, _verdict(db, result, today, keys), True)


def _verdict(db: Session, digits: str, today: date, keys: PublicKeys) -> Verdict:
    verdict = verification.verify(db, digits, today=today, keys=keys)
    if verdict.alarming:
        alarms.raise_alarm(db, digits)
    return verdict
