"""Who has earned a certificate, and what stands in the way of those who have not. Plain values in, plain values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from courses.models.enrolment import EnrolmentState
from lms.core.errors import N_


class Shortfall(StrEnum):
    """What stands in the way of a certificate."""

    ABSENT = "absent"
    SESSIONS_MISSING = "sessions_missing"
    MINUTES_MISSING = "minutes_missing"
    THEORY_MISSING = "theory_missing"
    THEORY_FAILED = "theory_failed"
    SKILLS_MISSING = "skills_missing"
    SKILLS_FAILED = "skills_failed"
    NO_CERTIFICATE_COURSE = "no_certificate_course"
    NAME_MISSING = "name_missing"


FAILURES = frozenset({Shortfall.THEORY_FAILED, Shortfall.SKILLS_FAILED})
# These keep the certificate back and leave the training done.
BESIDE_THE_TRAINING = frozenset({Shortfall.NO_CERTIFICATE_COURSE, Shortfall.NAME_MISSING})


# What stands in the way, and what can be done about it before closing.
SHORTFALLS: dict[str, tuple[str, str]] = {
    Shortfall.ABSENT: (N_("not present at any session"), N_("Check them in if they were there.")),
    Shortfall.SESSIONS_MISSING: (N_("too few sessions attended"), N_("Check the rosters of the earlier sessions.")),
    Shortfall.MINUTES_MISSING: (N_("too few minutes attended"), N_("Check the times on the rosters.")),
    Shortfall.THEORY_MISSING: (N_("no theory result"), N_("Enter the theory result.")),
    Shortfall.THEORY_FAILED: (N_("theory below the pass mark"), N_("Enter a retest if there was one.")),
    Shortfall.SKILLS_MISSING: (N_("skills not all assessed"), N_("Complete the skills checklist.")),
    Shortfall.SKILLS_FAILED: (N_("skills not all passed"), N_("Enter a retest if there was one.")),
    Shortfall.NO_CERTIFICATE_COURSE: (N_("this course gives no certificate"), ""),
    Shortfall.NAME_MISSING: (N_("full name missing"), N_("Correct the trainee's name.")),
}


@dataclass(frozen=True)
class Demand:
    """What a course asks. `pass_mark` in per cent, None without a theory test; `skills`: ids of the checklist's lines.

    minutes_planned: of all sessions of the offering; minutes_needed: how many of them must be attended, 0 without a rule.
    """

    sessions_needed: int = 1
    minutes_planned: int = 0
    minutes_needed: int = 0
    pass_mark: int | None = None
    skills: frozenset[int] = frozenset()
    certificate: bool = True


@dataclass(frozen=True)
class Results:
    """What one trainee showed, over all attempts: each theory score, and each skill with whether it was passed."""

    theory: tuple[int, ...] = ()
    skills: tuple[tuple[int, bool], ...] = ()

    def passed_theory(self, mark: int) -> bool:
        """Whether any attempt reached the mark."""
        return any(score >= mark for score in self.theory)

    def skill(self, skill_id: int) -> bool | None:
        """True when any attempt passed it, False when all that tried it failed, None when it was never tried."""
        tried = [passed for identity, passed in self.skills if identity == skill_id]
        return any(tried) if tried else None


@dataclass(frozen=True)
class Verdict:
    """What closing writes to an enrolment."""

    state: EnrolmentState
    shortfalls: tuple[Shortfall, ...]
    certificate_due: bool


def minutes_needed(planned: int, share: int | None) -> int:
    """How many minutes must be attended, rounded up to whole ones, where a course asks for a share (per cent) of the planned."""
    return -(-planned * share // 100) if share is not None else 0


def judge(demand: Demand, *, name: str, sessions_attended: int, minutes_attended: int = 0, results: Results) -> Verdict:
    """Hold one trainee against the course.

    completed: all that the course asks is met. failed: a result is there and below. incomplete: presence or results are
    missing. A certificate is due to whoever completed a course that gives one, under a name that can be printed.
    """
    present = _presence(demand, sessions_attended, minutes_attended)
    found = [*present, *_theory(demand, results), *_skills(demand, results)]
    if not demand.certificate:
        found.append(Shortfall.NO_CERTIFICATE_COURSE)
    if not any(letter.isalpha() for letter in name):
        found.append(Shortfall.NAME_MISSING)
    return Verdict(_state(found), tuple(found), certificate_due=not found)


def tally(shortfalls: Iterable[Iterable[Shortfall]]) -> Mapping[Shortfall, int]:
    """How many people each shortfall holds back, in the order of `Shortfall`."""
    counts = dict.fromkeys(Shortfall, 0)
    for found in shortfalls:
        for shortfall in found:
            counts[shortfall] += 1
    return {shortfall: number for shortfall, number in counts.items() if number}


def _state(found: list[Shortfall]) -> EnrolmentState:
    if FAILURES & set(found):
        return EnrolmentState.FAILED
    if set(found) <= BESIDE_THE_TRAINING:
        return EnrolmentState.COMPLETED
    return EnrolmentState.INCOMPLETE


def _presence(demand: Demand, sessions_attended: int, minutes_attended: int) -> list[Shortfall]:
    if sessions_attended == 0:
        return [Shortfall.ABSENT]
    found = [Shortfall.SESSIONS_MISSING] if sessions_attended < demand.sessions_needed else []
    return [*found, Shortfall.MINUTES_MISSING] if minutes_attended < demand.minutes_needed else found


def _theory(demand: Demand, results: Results) -> list[Shortfall]:
    if demand.pass_mark is None:
        return []
    if not results.theory:
        return [Shortfall.THEORY_MISSING]
    return [] if results.passed_theory(demand.pass_mark) else [Shortfall.THEORY_FAILED]


def _skills(demand: Demand, results: Results) -> list[Shortfall]:
    shown = {results.skill(skill) for skill in demand.skills}
    found = [Shortfall.SKILLS_MISSING] if None in shown else []
    return [*found, Shortfall.SKILLS_FAILED] if False in shown else found
