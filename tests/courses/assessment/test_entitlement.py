import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.assessment.entitlement import (
    SHORTFALL_LABELS,
    CourseRequirements,
    Shortfall,
    TraineeResults,
    count_shortfalls,
    judge,
    minutes_needed,
    missing_presence,
    sessions_needed,
)
from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import EnrolmentState

SKILLS = st.frozensets(st.integers(1, 6), max_size=6)
demands = st.builds(
    CourseRequirements,
    sessions_needed=st.integers(1, 6),
    minutes_needed=st.just(0) | st.integers(1, 600),
    pass_mark=st.none() | st.integers(1, 100),
    skills=SKILLS,
    certificate=st.booleans(),
)
results = st.builds(
    TraineeResults,
    theory=st.lists(st.integers(0, 100), max_size=3).map(tuple),
    skills=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=12).map(tuple),
)
names = st.sampled_from(["张伟", "Ann Lee", "阿卜杜热西提·买买提", "?", "  ", "123"])
attended = st.integers(0, 8)
stays = st.integers(0, 700)


SKILL = 4
BOTH = CourseRequirements(sessions_needed=2, minutes_needed=90, pass_mark=60, skills=frozenset({SKILL}))
GOOD = TraineeResults((60,), ((SKILL, True),))


@pytest.mark.parametrize(
    ("facts", "shortfalls", "state"),
    [
        ({}, (), EnrolmentState.COMPLETED),
        ({"sessions_attended": 3, "minutes_attended": 91}, (), EnrolmentState.COMPLETED),
        ({"sessions_attended": 1}, (Shortfall.SESSIONS_MISSING,), EnrolmentState.INCOMPLETE),
        ({"minutes_attended": 89}, (Shortfall.MINUTES_MISSING,), EnrolmentState.INCOMPLETE),
        ({"sessions_attended": 0, "minutes_attended": 0}, (Shortfall.ABSENT,), EnrolmentState.INCOMPLETE),
        ({"results": TraineeResults((), GOOD.skills)}, (Shortfall.THEORY_MISSING,), EnrolmentState.INCOMPLETE),
        ({"results": TraineeResults((59,), GOOD.skills)}, (Shortfall.THEORY_FAILED,), EnrolmentState.FAILED),
        ({"results": TraineeResults((59, 60, 58), GOOD.skills)}, (), EnrolmentState.COMPLETED),
        ({"results": TraineeResults((60,), ())}, (Shortfall.SKILLS_MISSING,), EnrolmentState.INCOMPLETE),
        ({"results": TraineeResults((60,), ((5, True),))}, (Shortfall.SKILLS_MISSING,), EnrolmentState.INCOMPLETE),
        ({"results": TraineeResults((60,), ((SKILL, False),))}, (Shortfall.SKILLS_FAILED,), EnrolmentState.FAILED),
        ({"results": TraineeResults((60,), ((SKILL, False), (SKILL, True)))}, (), EnrolmentState.COMPLETED),
        ({"name": "123"}, (Shortfall.NAME_MISSING,), EnrolmentState.COMPLETED),
        (
            {"sessions_attended": 1, "minutes_attended": 0, "name": "?", "results": TraineeResults((59,), ())},
            (
                Shortfall.SESSIONS_MISSING,
                Shortfall.MINUTES_MISSING,
                Shortfall.THEORY_FAILED,
                Shortfall.SKILLS_MISSING,
                Shortfall.NAME_MISSING,
            ),
            EnrolmentState.FAILED,
        ),
    ],
)
def test_what_stands_in_the_way_of_a_certificate(facts, shortfalls, state):
    given_facts = {"name": "张伟", "sessions_attended": 2, "minutes_attended": 90, "results": GOOD, **facts}
    verdict = judge(BOTH, **given_facts)
    assert (verdict.shortfalls, verdict.state) == (shortfalls, state)
    assert verdict.certificate_due is (not shortfalls)


def test_two_skills_of_which_one_failed_and_one_was_never_tried():
    demand = CourseRequirements(skills=frozenset({1, 2}))
    verdict = judge(demand, name="张伟", sessions_attended=1, results=TraineeResults(skills=((1, False),)))
    assert verdict.shortfalls == (Shortfall.SKILLS_MISSING, Shortfall.SKILLS_FAILED)


def test_a_course_without_a_certificate_is_completed_and_gives_none():
    verdict = judge(CourseRequirements(certificate=False), name="张伟", sessions_attended=1, results=TraineeResults())
    assert verdict.shortfalls == (Shortfall.NO_CERTIFICATE_COURSE,)
    assert (verdict.state, verdict.certificate_due) == (EnrolmentState.COMPLETED, False)
    nameless = judge(CourseRequirements(certificate=False), name="", sessions_attended=1, results=TraineeResults())
    assert nameless.shortfalls == (Shortfall.NO_CERTIFICATE_COURSE, Shortfall.NAME_MISSING)
    assert nameless.state == EnrolmentState.COMPLETED
    demand, none = CourseRequirements(certificate=False), TraineeResults()
    all_three = judge(demand, name="", sessions_attended=1, results=none, holds=False)
    assert (len(all_three.shortfalls), all_three.state) == (3, EnrolmentState.COMPLETED)


@pytest.mark.parametrize(
    ("results", "shortfalls", "state"),
    [
        (GOOD, (Shortfall.NOT_HELD,), EnrolmentState.COMPLETED),
        (TraineeResults((59,), GOOD.skills), (Shortfall.THEORY_FAILED, Shortfall.NOT_HELD), EnrolmentState.FAILED),
        (TraineeResults((), GOOD.skills), (Shortfall.THEORY_MISSING, Shortfall.NOT_HELD), EnrolmentState.INCOMPLETE),
    ],
)
def test_who_does_not_hold_what_is_demanded_gets_no_certificate_and_keeps_the_state(results, shortfalls, state):
    facts = {"name": "张伟", "sessions_attended": 2, "minutes_attended": 90, "results": results}
    verdict = judge(BOTH, **facts, holds=False)
    assert (verdict.shortfalls, verdict.state, verdict.certificate_due) == (shortfalls, state, False)
    assert Shortfall.NOT_HELD not in judge(BOTH, **facts).shortfalls


def test_unless_told_a_course_asks_for_one_session_and_gives_a_certificate():
    assert CourseRequirements() == CourseRequirements(
        sessions_needed=1, minutes_planned=0, minutes_needed=0, pass_mark=None, skills=frozenset(), certificate=True
    )
    verdict = judge(CourseRequirements(), name="张伟", sessions_attended=1, results=TraineeResults())
    assert (verdict.state, verdict.shortfalls, verdict.certificate_due) == (EnrolmentState.COMPLETED, (), True)


def test_who_showed_nothing_misses_each_result():
    assert TraineeResults() == TraineeResults(theory=(), skills=())
    demand = CourseRequirements(pass_mark=60, skills=frozenset({SKILL}))
    verdict = judge(demand, name="张伟", sessions_attended=1, results=TraineeResults())
    assert verdict.shortfalls == (Shortfall.THEORY_MISSING, Shortfall.SKILLS_MISSING)


def test_who_stayed_for_no_minute_that_is_known_has_none():
    verdict = judge(CourseRequirements(minutes_needed=1), name="张伟", sessions_attended=1, results=TraineeResults())
    assert verdict.shortfalls == (Shortfall.MINUTES_MISSING,)


def test_each_shortfall_is_stored_under_its_name_and_explained():
    assert [str(shortfall) for shortfall in Shortfall] == [shortfall.name.lower() for shortfall in Shortfall]
    assert set(SHORTFALL_LABELS) == set(Shortfall)
    assert all(meaning for meaning, _ in SHORTFALL_LABELS.values())
    without_advice = {shortfall for shortfall, (_, advice) in SHORTFALL_LABELS.items() if advice == ""}
    assert without_advice == {Shortfall.NO_CERTIFICATE_COURSE}


@given(demands, names, attended, stays, results)
def test_a_certificate_is_due_exactly_where_nothing_stands_in_the_way(demand, name, sessions, minutes, shown):
    verdict = judge(demand, name=name, sessions_attended=sessions, minutes_attended=minutes, results=shown)
    theory = demand.pass_mark is None or max(shown.theory, default=-1) >= demand.pass_mark
    skills = all((skill, True) in shown.skills for skill in demand.skills)
    done = sessions >= demand.sessions_needed and minutes >= demand.minutes_needed and theory and skills
    assert (verdict.state is EnrolmentState.COMPLETED) == done
    assert verdict.certificate_due == (done and demand.certificate and name not in {"?", "  ", "123"})
    assert verdict.certificate_due == (not verdict.shortfalls)
    assert len(set(verdict.shortfalls)) == len(verdict.shortfalls)


@given(demands, names, attended, results)
def test_failed_means_that_a_result_is_there_and_below(demand, name, sessions, shown):
    verdict = judge(demand, name=name, sessions_attended=sessions, results=shown)
    below = demand.pass_mark is not None and bool(shown.theory) and max(shown.theory) < demand.pass_mark
    tried = {skill for skill, _ in shown.skills} & demand.skills
    below = below or any((skill, True) not in shown.skills for skill in tried)
    assert (verdict.state is EnrolmentState.FAILED) == below


@given(demands, names, attended, results, st.tuples(st.integers(0, 100), st.integers(1, 6)))
def test_a_retest_never_harms(demand, name, sessions, shown, retest):
    score, skill = retest
    before = judge(demand, name=name, sessions_attended=sessions, results=shown)
    again = TraineeResults((*shown.theory, score), (*shown.skills, (skill, False)))
    after = judge(demand, name=name, sessions_attended=sessions, results=again)
    if before.certificate_due:
        assert after.certificate_due


@given(demands, names, results)
def test_whoever_was_never_there_is_absent_and_not_merely_short_of_sessions(demand, name, shown):
    verdict = judge(demand, name=name, sessions_attended=0, results=shown)
    assert Shortfall.ABSENT in verdict.shortfalls
    assert Shortfall.SESSIONS_MISSING not in verdict.shortfalls
    assert Shortfall.MINUTES_MISSING not in verdict.shortfalls
    assert not verdict.certificate_due


def test_a_tally_counts_people():
    counted = count_shortfalls([(Shortfall.ABSENT, Shortfall.THEORY_MISSING), (Shortfall.ABSENT,), ()])
    assert counted == {Shortfall.ABSENT: 2, Shortfall.THEORY_MISSING: 1}


@given(demands, names, st.integers(1, 8), stays, results)
def test_minutes_are_missing_exactly_below_what_the_course_needs(demand, name, sessions, minutes, shown):
    verdict = judge(demand, name=name, sessions_attended=sessions, minutes_attended=minutes, results=shown)
    assert (Shortfall.MINUTES_MISSING in verdict.shortfalls) == (minutes < demand.minutes_needed)


@given(st.integers(0, 10_000), st.integers(1, 100))
def test_a_share_of_the_minutes_is_rounded_up_and_never_more_than_all(planned, share):
    needed = minutes_needed(planned, share)
    assert planned * share <= needed * 100 < planned * share + 100
    assert needed <= planned
    assert minutes_needed(planned, 100) == planned


@given(st.integers(0, 10_000))
def test_a_course_without_the_rule_asks_for_no_minutes(planned):
    assert minutes_needed(planned, None) == 0


RULES = st.sampled_from(AttendanceRule)
SESSIONS = st.lists(st.tuples(st.integers(1, 600), st.booleans()), min_size=1, max_size=6)  # minutes, attended in full


def missing(sessions, rule, share):
    """The shortfalls of a trainee who was at each session from beginning to end, or not at all."""
    planned = sum(minutes for minutes, _ in sessions)
    requirements = CourseRequirements(
        sessions_needed=sessions_needed(len(sessions), rule),
        minutes_planned=planned,
        minutes_needed=minutes_needed(planned, None if rule is AttendanceRule.ALL else share),
    )
    attended = [minutes for minutes, present in sessions if present]
    return missing_presence(requirements, len(attended), sum(attended))


@given(SESSIONS, RULES, st.integers(1, 100))
def test_whoever_attended_everything_planned_misses_nothing_by_any_rule(sessions, rule, share):
    assert missing([(minutes, True) for minutes, _ in sessions], rule, share) == []


@given(SESSIONS, RULES, st.integers(1, 100))
def test_all_means_every_session_that_was_planned(sessions, rule, share):
    if all(present for _, present in sessions) or not any(present for _, present in sessions):
        return
    short = Shortfall.SESSIONS_MISSING in missing(sessions, rule, share)
    assert short == (rule is not AttendanceRule.SHARE)


@given(SESSIONS, RULES, st.integers(1, 100))
def test_a_share_is_missed_exactly_by_fewer_minutes_than_it_asks_for(sessions, rule, share):
    attended = sum(minutes for minutes, present in sessions if present)
    fewer = attended * 100 < share * sum(minutes for minutes, _ in sessions)
    short = Shortfall.MINUTES_MISSING in missing(sessions, rule, share)
    assert short == (rule is not AttendanceRule.ALL and attended > 0 and fewer)


@given(SESSIONS, RULES, st.integers(1, 100), st.data())
def test_splitting_a_session_changes_nothing_for_whoever_attends_both_parts_or_none(sessions, rule, share, data):
    at = data.draw(st.integers(0, len(sessions) - 1))
    minutes, present = sessions[at]
    cut = data.draw(st.integers(0, minutes))
    split = [*sessions[:at], (cut, present), (minutes - cut, present), *sessions[at + 1 :]]
    assert missing(split, rule, share) == missing(sessions, rule, share)


@given(SESSIONS, RULES, st.integers(1, 100), st.data())
def test_attending_one_more_session_never_harms(sessions, rule, share, data):
    at = data.draw(st.integers(0, len(sessions) - 1))
    more = [(minutes, present or nth == at) for nth, (minutes, present) in enumerate(sessions)]
    if not missing(sessions, rule, share):
        assert not missing(more, rule, share)


@given(SESSIONS, RULES, st.integers(1, 100))
def test_both_demands_together_are_each_of_them(sessions, rule, share):
    if not any(present for _, present in sessions):
        return
    either = [*missing(sessions, AttendanceRule.ALL, share), *missing(sessions, AttendanceRule.SHARE, share)]
    assert missing(sessions, AttendanceRule.ALL_AND_SHARE, share) == either
