"""Entitlement: whether a trainee has completed a course and earned its certificate, and otherwise what is missing.

The rule takes and returns plain values; `courses.closing.judging` reads and writes them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import EnrolmentState
from lms.core.errors import N_


class Shortfall(StrEnum):
    """A reason why a trainee gets no certificate."""

    ABSENT = "absent"
    SESSIONS_MISSING = "sessions_missing"
    MINUTES_MISSING = "minutes_missing"
    THEORY_MISSING = "theory_missing"
    THEORY_FAILED = "theory_failed"
    SKILLS_MISSING = "skills_missing"
    SKILLS_FAILED = "skills_failed"
    NO_CERTIFICATE_COURSE = "no_certificate_course"
    NAME_MISSING = "name_missing"
    NOT_HELD = "not_held"


FAILURES = frozenset({Shortfall.THEORY_FAILED, Shortfall.SKILLS_FAILED})
# With one of these the trainee has completed the training and gets no certificate.
CERTIFICATE_ONLY = frozenset({Shortfall.NO_CERTIFICATE_COURSE, Shortfall.NAME_MISSING, Shortfall.NOT_HELD})


# The label of each shortfall, and what can be done about it before closing; both are msgids.
SHORTFALL_LABELS: dict[str, tuple[str, str]] = {
    Shortfall.ABSENT: (N_("not present at any session"), N_("If the trainee was present, add the check-in.")),
    Shortfall.SESSIONS_MISSING: (N_("not present at every session"), N_("Check the rosters of the earlier sessions.")),
    Shortfall.MINUTES_MISSING: (N_("too few minutes attended"), N_("Check the times on the rosters.")),
    Shortfall.THEORY_MISSING: (N_("no theory result"), N_("Enter the theory result.")),
    Shortfall.THEORY_FAILED: (N_("theory below the pass mark"), N_("Enter a retest if there was one.")),
    Shortfall.SKILLS_MISSING: (N_("skills not all assessed"), N_("Complete the skills checklist.")),
    Shortfall.SKILLS_FAILED: (N_("skills not all passed"), N_("Enter a retest if there was one.")),
    Shortfall.NO_CERTIFICATE_COURSE: (N_("this course gives no certificate"), ""),
    Shortfall.NAME_MISSING: (N_("full name missing"), N_("Correct the trainee's name.")),
    Shortfall.NOT_HELD: (
        N_("does not hold the certificate that the course demands"),
        N_("The district can link a certificate from before this system or accept one of another branch."),
    ),
}


@dataclass(frozen=True)
class CourseRequirements:
    """The requirements of a course, for one offering.

    pass_mark: in per cent; None without a theory test. skills: the ids of the checklist's skills.
    sessions_needed: the sessions of the offering at which a trainee must be present. minutes_planned: of all sessions of
    the offering. minutes_needed: how many of them a trainee must attend; 0 where the rule is `all`. certificate: the
    course gives a certificate.
    """

    sessions_needed: int = 1
    minutes_planned: int = 0
    minutes_needed: int = 0
    pass_mark: int | None = None
    skills: frozenset[int] = frozenset()
    certificate: bool = True


@dataclass(frozen=True)
class TraineeResults:
    """The results of one trainee over all attempts: the theory scores, and pairs of a skill's id and whether it was passed."""

    theory: tuple[int, ...] = ()
    skills: tuple[tuple[int, bool], ...] = ()

    def passed_theory(self, mark: int) -> bool:
        """Return whether any attempt reached the mark."""
        return any(score >= mark for score in self.theory)

    def skill(self, skill_id: int) -> bool | None:
        """Return True where any attempt passed the skill, False where all that examined it failed, None where none did."""
        examined = [passed for examined_id, passed in self.skills if examined_id == skill_id]
        return any(examined) if examined else None


@dataclass(frozen=True)
class EntitlementVerdict:
    """The judgement of one trainee, which closing writes to the enrolment."""

    state: EnrolmentState
    shortfalls: tuple[Shortfall, ...]
    certificate_due: bool


def sessions_needed(planned: int, rule: AttendanceRule) -> int:
    """Return the number of planned sessions at which a trainee must be present.

    They are all that the offering plans, unless the course's rule is a share of the minutes: then presence at one of them
    is the least that makes a participant. Example: a class of one session that was split into two demands both.
    """
    return 1 if rule is AttendanceRule.SHARE else planned


def minutes_needed(planned: int, share: int | None) -> int:
    """Return the minutes that must be attended: the share (per cent) of the planned ones, rounded up; 0 without a share.

    Example: 90 per cent of 361 planned minutes are 325.
    """
    return -(-planned * share // 100) if share is not None else 0


def judge(
    requirements: CourseRequirements,
    *,
    name: str,
    sessions_attended: int,
    minutes_attended: int = 0,
    results: TraineeResults,
    holds: bool = True,
) -> EntitlementVerdict:
    """Judge one trainee by the requirements of the course. holds: the trainee holds what the course demands, if anything.

    The state is `failed` where a theory score or a skill was examined and not passed in any attempt; `incomplete` where
    presence or a result is missing; otherwise `completed`. A certificate is due to a trainee who completed a course that
    gives one, whose name has at least one letter, and who holds what the course renews.
    """
    shortfalls = [
        *missing_presence(requirements, sessions_attended, minutes_attended),
        *_theory(requirements, results),
        *_skills(requirements, results),
    ]
    if not requirements.certificate:
        shortfalls.append(Shortfall.NO_CERTIFICATE_COURSE)
    if not any(letter.isalpha() for letter in name):
        shortfalls.append(Shortfall.NAME_MISSING)
    if not holds:
        shortfalls.append(Shortfall.NOT_HELD)
    return EntitlementVerdict(_state(shortfalls), tuple(shortfalls), certificate_due=not shortfalls)


def missing_presence(
    requirements: CourseRequirements, sessions_attended: int, minutes_attended: int
) -> list[Shortfall]:
    """Return what is missing of the presence that a course requires. An absence is named alone."""
    if sessions_attended == 0:
        return [Shortfall.ABSENT]
    shortfalls = [Shortfall.SESSIONS_MISSING] if sessions_attended < requirements.sessions_needed else []
    return [*shortfalls, Shortfall.MINUTES_MISSING] if minutes_attended < requirements.minutes_needed else shortfalls


def count_shortfalls(shortfalls: Iterable[Iterable[Shortfall]]) -> Mapping[Shortfall, int]:
    """Count the trainees with each shortfall, in the order of `Shortfall`; those of nobody are left out."""
    counts = dict.fromkeys(Shortfall, 0)
    for of_trainee in shortfalls:
        for shortfall in of_trainee:
            counts[shortfall] += 1
    return {shortfall: number for shortfall, number in counts.items() if number}


def _state(shortfalls: list[Shortfall]) -> EnrolmentState:
    if FAILURES & set(shortfalls):
        return EnrolmentState.FAILED
    if set(shortfalls) <= CERTIFICATE_ONLY:
        return EnrolmentState.COMPLETED
    return EnrolmentState.INCOMPLETE


def _theory(requirements: CourseRequirements, results: TraineeResults) -> list[Shortfall]:
    if requirements.pass_mark is None:
        return []
    if not results.theory:
        return [Shortfall.THEORY_MISSING]
    return [] if results.passed_theory(requirements.pass_mark) else [Shortfall.THEORY_FAILED]


def _skills(requirements: CourseRequirements, results: TraineeResults) -> list[Shortfall]:
    outcomes = {results.skill(skill_id) for skill_id in requirements.skills}
    shortfalls = [Shortfall.SKILLS_MISSING] if None in outcomes else []
    return [*shortfalls, Shortfall.SKILLS_FAILED] if False in outcomes else shortfalls
