"""The answers to a list as its sender needs them: a reason in words for each row, and a summary."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from certificates import qualification
from certificates.states import NOT_LOOKED_FOR, PROOF_MISSING, UNREADABLE, State
from certificates.verification import bulk
from certificates.verification.bulk import BulkResult
from certificates.verification.verification import NOT_RECORDED
from lms.core.errors import N_

ENDS_SOON = timedelta(days=90)

_BY_REASON = {
    bulk.MISTYPED: N_("The number has a typing error: if all else is right, it ends with %(check)s."),
    bulk.OTHER_KIND: N_("Not a number of this branch, and no older certificate has this number and name."),
    bulk.NO_MATCH: N_("No certificate has this number and this name."),
    PROOF_MISSING: N_("A number is verified together with the name or the last 6 characters of the ID number."),
    bulk.LEGACY: N_("Issued before signed codes: our records vouch for it."),
    UNREADABLE: N_("Neither a whole code nor a certificate number."),
    NOT_RECORDED: N_("Not in our records. Do not accept it; contact us."),
}
_BY_STATE = {
    State.FORGED: N_("We did not sign this code."),
    State.REVOKED: N_("We revoked this certificate."),
    State.SUPERSEDED: N_("Replaced by a newer certificate."),
    State.NOT_YET_VALID: N_("Its issue date is in the future."),
}
_NAME_DIFFERS = N_("Another name stands on the certificate.")
_ENDS_SOON = N_("Ends on %(day)s.")


@dataclass(frozen=True)
class Remark:
    """A sentence about a row: a msgid and the values in it."""

    message: str
    params: Mapping[str, str] = field(default_factory=dict)


def remarks(result: BulkResult, today: date) -> list[Remark]:
    """Return what is to be said of a row beside its state; nothing of a plain valid certificate."""
    if result.item.problem is not None:
        return [Remark(result.item.problem)]
    state, reason = result.verdict.state, result.verdict.reason
    said = []
    if reason in _BY_REASON:
        said.append(Remark(_BY_REASON[reason], {"check": result.check}))
    elif state in _BY_STATE:
        said.append(Remark(_BY_STATE[state]))
    if result.name_matches is False:
        said.append(Remark(_NAME_DIFFERS))
    if ends_soon(result, today):
        said.append(Remark(_ENDS_SOON, {"day": str(_valid_until(result))}))
    return said


def ends_soon(result: BulkResult, today: date) -> bool:
    """Tell whether a certificate is valid today and ends within 90 days."""
    last = _valid_until(result)
    return result.verdict.state is State.VALID and last is not None and last <= today + ENDS_SOON


def needs_look(result: BulkResult, today: date) -> bool:
    """Tell whether a person should look at a row: all but valid ones with no other name that do not end soon."""
    return result.verdict.state is not State.VALID or bool(remarks(result, today))


@dataclass(frozen=True)
class Summary:
    """The figures of a list: rows by state and reason ("cannot be read" is no "unknown"), those that hold with the name of
    their row, those that end within 90 days, and the valid ones by course (names by language).
    """

    states: Mapping[tuple[State, str], int]
    good: int
    ending: int
    courses: Mapping[tuple[str, str], int]


def summary(results: Iterable[BulkResult], today: date) -> Summary:
    """Count the results. A valid certificate whose row has another name is not good."""
    states: Counter[tuple[State, str]] = Counter()
    courses: Counter[tuple[str, str]] = Counter()
    good = ending = 0
    for result in results:
        state = result.verdict.state
        states[state, result.verdict.reason if result.verdict.reason in NOT_LOOKED_FOR else ""] += 1
        if state is State.VALID and result.name_matches is not False:
            good += 1
            courses[course_names(result)] += 1
        ending += ends_soon(result, today)
    return Summary(states, good, ending, courses)


def course_names(result: BulkResult) -> tuple[str, str]:
    """Return the course of a certificate in Chinese and in English; a legacy one has one name. Empty where none is known."""
    certificate = result.verdict.certificate
    if certificate is not None:
        certified = qualification.of_facts(certificate.facts)
        return certified.name_zh, certified.name_en
    return (result.legacy.course, result.legacy.course) if result.legacy is not None else ("", "")


def _valid_until(result: BulkResult) -> date | None:
    certificate = result.verdict.certificate or result.legacy
    return certificate.valid_until if certificate is not None else None
