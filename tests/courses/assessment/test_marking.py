"""Merging an examiner's form with the stored attempt: only what was changed is written, and conflicts are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.assessment import assessment, marking
from courses.assessment.marking import Marks
from lms.core.errors import DomainError
from tests.courses.assessment.steps import held

STORED = Marks(55, {1: True, 2: False}, 7, "口试补充")
SEEN = marking.version_text(1, 0, marking.field_values(STORED))
all_marks = st.builds(
    Marks,
    st.none() | st.integers(0, 100),
    st.dictionaries(st.integers(1, 4), st.booleans(), max_size=4),
    st.none() | st.integers(1, 3),
    st.none() | st.sampled_from(["", "口试补充", "a=b;c"]),
)


def merged(marks, stored=STORED, *, seen=SEEN, attempts=1, retest=False, waiting=0):
    return marking.merge(seen, marks, stored, attempts=attempts, retest=retest, waiting=waiting)


def is_conflict(*arguments, **facts):
    with pytest.raises(DomainError) as caught:
        merged(*arguments, **facts)
    return caught.value.code == "result_changed"


def test_the_version_names_the_attempt_the_late_results_and_the_fields():
    assert marking.version_text(1, 0, marking.field_values(Marks(55, {3: True}))) == "1.0;theory=55;skill-3=1"
    assert marking.version_text(0, 2, {}) == "0.2"
    assert "口试" not in SEEN


def test_a_field_that_only_the_form_changed_is_written():
    assert merged(Marks(65, {1: True, 2: True, 3: False}, 7, "口试补充")) == Marks(
        65, {1: True, 2: True, 3: False}, 7, "口试补充"
    )


def test_a_field_that_only_another_examiner_changed_stays():
    stored = Marks(80, {1: True, 2: True}, 7, "重考")
    assert merged(STORED, stored) == stored


def test_a_field_that_the_form_cleared_is_cleared():
    assert merged(Marks(None, {1: True}, 7, None)) == Marks(None, {1: True}, 7, None)


def test_both_changed_the_same_to_different_values():
    assert is_conflict(Marks(65, STORED.skills, 7, STORED.note), Marks(66, STORED.skills, 7, STORED.note))
    assert is_conflict(Marks(55, {1: False, 2: False}, 7, STORED.note), Marks(55, {2: False}, 7, STORED.note))


def test_both_changed_the_same_to_one_value():
    changed = Marks(65, STORED.skills, 7, STORED.note)
    assert merged(changed, changed) == changed


def test_the_examiner_who_was_saved_first_stays():
    stored = Marks(55, STORED.skills, 8, STORED.note)
    assert merged(Marks(65, STORED.skills, 9, STORED.note), stored) == Marks(65, STORED.skills, 8, STORED.note)
    without = marking.version_text(1, 0, marking.field_values(Marks(55)))
    assert merged(Marks(65, {}, 9), Marks(55), seen=without) == Marks(65, {}, 9)


def test_another_attempt_or_a_late_result_meanwhile_is_a_conflict():
    assert is_conflict(STORED, attempts=2)
    assert is_conflict(STORED, waiting=1)
    assert is_conflict(STORED, seen="no version")
    assert is_conflict(STORED, seen="1.0;theory")


def test_a_first_attempt_that_another_examiner_made_meanwhile_is_added_to():
    first = Marks(None, {1: True})
    assert merged(Marks(70), first, seen="0.0") == Marks(70, {1: True})
    assert is_conflict(Marks(70), Marks(None), seen="0.0", retest=True)


def test_a_retest_takes_the_form_as_it_is():
    assert merged(Marks(80, {2: True}, 9, "重考"), Marks(None), retest=True) == Marks(80, {2: True}, 9, "重考")


def test_after_a_conflict_the_form_shows_its_own_changes_and_what_is_stored():
    stored = Marks(66, {1: True, 2: True}, 7, "重考")
    mine = Marks(65, STORED.skills, 7, STORED.note)
    assert marking.redisplay(SEEN, mine, stored) == Marks(65, {1: True, 2: True}, 7, "重考")
    assert marking.redisplay("no version", mine, stored) == mine


@given(all_marks, all_marks)
def test_a_form_against_the_present_version_is_written_as_it_is(stored, form):
    seen = marking.version_text(1, 0, marking.field_values(stored))
    result = merged(form, stored, seen=seen)
    assert marking.field_values(result) == marking.field_values(form)
    assert marking.field_values(merged(stored, stored, seen=seen)) == marking.field_values(stored)


@pytest.fixture
def offering(make):
    return make.offering(course=make.new_course(skills=3))


@pytest.fixture
def enrolment(make, offering):
    return make.enrolment(offering)


def test_two_different_marks_of_one_skill_are_a_conflict(db, enrolment):
    skill = enrolment.offering.course.skills[0].id
    seen = assessment.form_version(())
    assessment.save(db, enrolment, Marks(None, {skill: True}), seen=seen, retest=False)
    with pytest.raises(DomainError) as caught:
        assessment.save(db, enrolment, Marks(None, {skill: False}), seen=seen, retest=False)
    assert caught.value.code == "result_changed"
    assert held(db, enrolment) == {skill: True}
