"""Results that arrive after the training or for a cancelled enrolment: listed, without effect until results are saved."""

from datetime import timedelta

import pytest

from courses.assessment import assessment, late_results
from courses.assessment.marking import Marks
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import Role
from tests.courses.assessment.steps import held, send, shown
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make: Make, examiner):
    return make.offering(course=make.new_course(skills=3), lead=make.instructor(user=examiner))


@pytest.fixture
def enrolment(make: Make, offering):
    return make.enrolment(offering)


@pytest.mark.parametrize(
    ("state", "code"), [(OfferingState.CLOSED, "offering_closed"), (OfferingState.CANCELLED, "not_running")]
)
def test_a_result_after_the_training_is_late_and_has_no_effect(db, examiner, enrolment, state, code):
    offering = enrolment.offering
    offering.state, offering.closed_at = state, clock.now() if state == OfferingState.CLOSED else None
    offering.counted_on = clock.branch_today() if state == OfferingState.CLOSED else None
    offering.cancelled_at = clock.now() if state == OfferingState.CANCELLED else None
    offering.cancel_reason = "停电" if state == OfferingState.CANCELLED else None
    db.flush()
    (answer,) = send(db, examiner, shown(enrolment))
    assert (answer.outcome, answer.code) == (Outcome.REVIEW, code)
    assert held(db, enrolment) == {}
    (waiting,) = late_results.waiting(db, offering.id)
    assert (waiting.by, waiting.passed, waiting.reason) == ("王老师", True, code)


def test_results_of_a_cancelled_enrolment_are_late(db, make, examiner, offering):
    gone = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    (answer,) = send(db, examiner, shown(gone))
    assert (answer.outcome, answer.code) == (Outcome.REVIEW, "not_enrolled")
    assert [one.enrolment_id for one in late_results.waiting(db, offering.id)] == [gone.id]


def test_saving_a_closed_trainings_results_settles_the_late_ones_that_the_form_showed(db, examiner, enrolment):
    offering = enrolment.offering
    blind = assessment.form_version(())
    offering.state, offering.closed_at, offering.counted_on = OfferingState.CLOSED, clock.now(), clock.branch_today()
    db.flush()
    event = shown(enrolment)
    send(db, examiner, event)
    with pytest.raises(DomainError) as caught:
        assessment.save(db, enrolment, Marks(70), seen=blind, retest=False, reason="补录")
    assert caught.value.code == "result_changed"
    seen = assessment.form_version((), 1)
    with clock.at(clock.now() + timedelta(seconds=1)):
        assessment.save(db, enrolment, Marks(70, {event.skill_id: True}), seen=seen, retest=False, reason="补录")
    assert late_results.waiting(db, offering.id) == []
    assert held(db, enrolment) == {event.skill_id: True}
