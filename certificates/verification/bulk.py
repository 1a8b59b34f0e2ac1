"""Bulk verification: many certificates in one request, by code or by number with a proof of the holder. Nothing is
stored.

The result of each item is what the pages say: a number that does not exist and a proof that is wrong give the same
answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy.orm import Session

from certificates.legacy.legacy import PublicLegacyCertificate
from certificates.number import NumberScheme
from certificates.states import UNREADABLE, State
from certificates.verification import alarms, look_up, verification
from certificates.verification.reading import digits_in
from certificates.verification.verification import PublicKeys, Verdict
from lms.core.cell_values import is_error, is_shortened
from lms.core.errors import N_, DomainError

MAX_ITEMS = 500
NO_MATCH = "no_match"
LEGACY = "legacy"

SHORTENED = N_("Excel has shortened this number. Format the column as text and enter the number again.")
ERROR = N_("The cell holds an error of a formula.")


@dataclass(frozen=True, slots=True)
class BulkItem:
    """A certificate to verify: a code (digits or the whole address), or a number.

    `proof` is the holder's name or the last 6 characters of the ID number. `line` is the number of the row in the list, 0
    where there is none. `problem` is a msgid: the cell cannot be a certificate, such as a number that Excel has shortened.
    """

    certificate: str
    proof: str = ""
    line: int = field(default=0, compare=False)
    problem: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The verdict on an item. `name_matches` is None where no name was given or there is nothing to compare it with.

    `legacy` is a certificate from before this system: our records vouch for it, and no signed code.
    """

    item: BulkItem
    verdict: Verdict
    name_matches: bool | None
    legacy: PublicLegacyCertificate | None = None


def items(rows: Sequence[tuple[int, list[str]]]) -> list[BulkItem]:
    """Return the items of a sheet: certificate, then name. A first row without any digit is a heading.

    Raises DomainError on the field `file`: `list_empty`, `list_too_long`.
    """
    found = [BulkItem(*_columns(cells), line=line) for line, cells in rows if cells and cells[0]]
    if found and not re.search("[0-9]", found[0].certificate):
        found = found[1:]
    if not found:
        raise DomainError("list_empty", N_("There is no certificate in the list."), status=422, field="file")
    check_length(len(found))
    return [replace(item, problem=_problem(item.certificate)) for item in found]


def _problem(certificate: str) -> str | None:
    """Return the msgid of what is wrong with a cell that holds no certificate's number or code, None for any other."""
    if digits_in(certificate) is None and (is_shortened(certificate) or is_error(certificate)):
        return SHORTENED if is_shortened(certificate) else ERROR
    return None


def _columns(cells: list[str]) -> tuple[str, str]:
    """Split a row into certificate and name; where both stand in one cell, the name follows the first space."""
    certificate, proof = cells[0], cells[1] if len(cells) > 1 else ""
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
    if item.problem is not None:
        return BulkResult(item, Verdict(State.UNKNOWN, UNREADABLE), None)
    digits = digits_in(item.certificate)
    by_code = digits is not None
    if digits is None:
        try:
            result = look_up.by_number(db, item.certificate, item.proof, scheme=scheme, today=today)
        except DomainError:
            return BulkResult(item, Verdict(State.UNKNOWN, NO_MATCH), None)
        if isinstance(result, PublicLegacyCertificate):
            return BulkResult(item, Verdict(result.state, LEGACY), True, result)
        digits = result
    verdict = verification.verify(db, digits, today=today, keys=keys)
    if verdict.alarming:
        alarms.raise_alarm(db, digits)
    matches = verification.name_holds(db, verdict, item.proof) if by_code and item.proof else None
    return BulkResult(item, verdict, True if not by_code else matches)
