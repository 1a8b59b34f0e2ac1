"""The grid of results: each changed cell is saved by itself, and examiners who have it open at once lose nothing."""

import pytest

from courses.assessment import assessment, grid
from courses.assessment.assessment import AttemptFacts
from courses.assessment.grid import CELL_CHANGED, SCORE_RANGE, GridRow
from courses.assessment.marking import Marks
from courses.models.offerings import OfferingState
from lms.core.errors import DomainError
from lms.core.scope import Role
from tests.courses.assessment.steps import deliver, marks, retested, scored, shown
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make: Make, examiner):
    return make.offering(course=make.new_course(skills=2, pass_mark=60), lead=make.instructor(user=examiner))


@pytest.fixture
def skills(offering):
    return [skill.id for skill in offering.course.skills]


def version(db, enrolment):
    return assessment.form_version(assessment.attempts_of(db, enrolment.id))


def test_two_people_are_saved_and_one_cell_is_refused(db, make, offering, skills):
    first, second, third = (make.enrolment(offering) for _ in range(3))
    rows = [
        GridRow(first.id, "0.0", "80", {skills[0]: True}),
        GridRow(second.id, "0.0", "180", {skills[1]: False}),
        GridRow(third.id, "0.0"),
    ]
    outcome = grid.save(db, offering.id, rows, skills)
    assert (outcome.saved, outcome.refusals) == (2, {second.id: {"theory": SCORE_RANGE}})
    assert [marks(db, one) for one in (first, second, third)] == [
        [(80, {skills[0]: True})],
        [(None, {skills[1]: False})],
        [],
    ]


def test_what_another_examiner_saved_meanwhile_is_not_overwritten(db, make, examiner, offering, skills):
    enrolment = make.enrolment(offering)
    seen = version(db, enrolment)
    deliver(db, examiner, scored(enrolment, 70), shown(enrolment, 0, passed=True))
    row = GridRow(enrolment.id, seen, "55", {skills[1]: True})
    outcome = grid.save(db, offering.id, [row], skills)
    assert outcome.refusals == {enrolment.id: {"theory": CELL_CHANGED}}
    assert marks(db, enrolment) == [(70, {skills[0]: True, skills[1]: True})]
    again = GridRow(enrolment.id, version(db, enrolment), "55", {skills[0]: True, skills[1]: True})
    assert grid.save(db, offering.id, [again], skills).refusals == {}
    assert marks(db, enrolment)[0][0] == 55
    assert grid.save(db, offering.id, [GridRow(enrolment.id, seen, "55", {})], skills).saved == 0


def test_a_row_whose_retest_was_started_meanwhile_is_refused_as_a_whole(db, make, examiner, offering, skills):
    enrolment, other = make.enrolment(offering), make.enrolment(offering)
    deliver(db, examiner, scored(enrolment, 40, ago=2))
    seen = version(db, enrolment)
    deliver(db, examiner, retested(enrolment))
    rows = [GridRow(enrolment.id, seen, "45"), GridRow(other.id, "0.0", "90")]
    outcome = grid.save(db, offering.id, rows, skills)
    assert outcome.saved == 1
    assert list(outcome.refusals[enrolment.id]) == [""]
    assert marks(db, enrolment) == [(40, {}), (None, {})]
    assert grid.save(db, offering.id, [GridRow(other.id, "x;y", "91")], skills).refusals[other.id].keys() == {""}


def test_the_examiner_is_written_with_marks_and_where_it_was_chosen(db, make, offering, skills):
    marked, unmarked = make.enrolment(offering), make.enrolment(offering)
    first, second = make.instructor().id, make.instructor().id
    grid.save(
        db,
        offering.id,
        [GridRow(marked.id, "0.0", "80", {}, first), GridRow(unmarked.id, "0.0", "", {}, first)],
        skills,
    )
    (attempt,) = assessment.attempts_of(db, marked.id)
    assert (attempt.examiner_id, marks(db, unmarked)) == (first, [])
    seen = version(db, marked)
    grid.save(db, offering.id, [GridRow(marked.id, seen, "80", {}, second)], skills)
    assert assessment.attempts_of(db, marked.id)[0].examiner_id == second
    grid.save(db, offering.id, [GridRow(marked.id, version(db, marked), "80", {}, first, True)], skills)
    assert assessment.attempts_of(db, marked.id)[0].examiner_id == second


def test_a_note_and_a_skill_that_the_grid_does_not_show_stay(db, make, offering, skills):
    enrolment = make.enrolment(offering)
    assessment.save(db, enrolment, Marks(70, {skills[1]: True}, None, "左手"), seen="0.0", retest=False)
    grid.save(db, offering.id, [GridRow(enrolment.id, version(db, enrolment), "75")], skills[:1])
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert (attempt.note, marks(db, enrolment)) == ("左手", [(75, {skills[1]: True})])


def test_only_an_open_offering_and_its_own_people_are_saved(db, make, offering, skills):
    stranger = make.enrolment(make.offering())
    assert grid.save(db, offering.id, [GridRow(stranger.id, "0.0", "80")], skills).saved == 0
    offering.state = OfferingState.DRAFT
    db.flush()
    with pytest.raises(DomainError) as caught:
        grid.save(db, offering.id, [], skills)
    assert caught.value.code == "not_running"


@pytest.mark.parametrize(
    ("attempts", "due"),
    [
        ([], False),
        ([AttemptFacts(1, 40, {})], True),
        ([AttemptFacts(1, 60, {7: True})], False),
        ([AttemptFacts(1, 90, {7: False})], True),
        ([AttemptFacts(1, 90, {8: False})], False),
        ([AttemptFacts(1, 40, {}), AttemptFacts(2, None, {})], False),
        ([AttemptFacts(1, 40, {7: False}), AttemptFacts(2, None, {7: True})], False),
        ([AttemptFacts(1, 70, {7: False}), AttemptFacts(2, 40, {7: True})], False),
        ([AttemptFacts(1, 40, {}), AttemptFacts(2, 50, {})], True),
    ],
)
def test_a_retest_is_due_where_the_latest_attempt_failed(attempts, due):
    assert grid.retest_due(attempts, 60, [7]) is due
