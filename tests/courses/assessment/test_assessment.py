import pytest
from sqlalchemy import select

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording
from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from tests.courses.attendance.test_recording import happening


@pytest.fixture
def offering(make):
    return make.offering(course=make.new_course(skills=2))


@pytest.fixture
def enrolment(make, offering):
    return make.enrolment(offering)


def save(db, enrolment, marks, *, retest=False, seen=None, reason=None):
    seen = assessment.form_version(assessment.attempts_of(db, enrolment.id)) if seen is None else seen
    return assessment.save(db, enrolment, marks, seen=seen, retest=retest, reason=reason)


def test_an_attempt_is_saved_and_changed_with_what_it_was_before(db, make, offering, enrolment):
    first, second = (skill.id for skill in offering.course.skills)
    examiner = make.instructor()
    save(db, enrolment, Marks(55, {first: True, second: False}, examiner.id))
    save(db, enrolment, Marks(65, {first: True}, examiner.id, "口试补充"))
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert (attempt.attempt, attempt.theory_score, attempt.note) == (1, 65, "口试补充")
    assert {result.skill_id: result.passed for result in attempt.skills} == {first: True}
    entries = db.scalars(select(AuditEntry).where(AuditEntry.action == "assessment.save").order_by(AuditEntry.id)).all()
    assert entries[0].before is None
    assert entries[1].before["theory_score"] == 55
    assert entries[1].before["skills"] == {str(first): True, str(second): False}
    assert entries[1].after["theory_score"] == 65


def test_a_retest_is_an_attempt_of_its_own(db, offering, enrolment):
    first, second = (skill.id for skill in offering.course.skills)
    save(db, enrolment, Marks(40, {first: True, second: False}))
    save(db, enrolment, Marks(80, {second: True}), retest=True)
    assert [attempt.attempt for attempt in assessment.attempts_of(db, enrolment.id)] == [1, 2]
    shown = assessment.results_by_enrolment(db, offering.id)[enrolment.id]
    assert shown.theory == (40, 80)
    assert shown.passed_theory(60)
    assert shown.skill(first) is True
    assert shown.skill(second) is True


def test_two_examiners_do_not_overwrite_each_other(db, enrolment):
    seen = assessment.form_version(assessment.attempts_of(db, enrolment.id))
    save(db, enrolment, Marks(70), seen=seen)
    with pytest.raises(DomainError) as caught:
        save(db, enrolment, Marks(30), seen=seen)
    assert caught.value.code == "result_changed"
    assert assessment.attempts_of(db, enrolment.id)[0].theory_score == 70


@pytest.mark.parametrize(("score", "code"), [(None, "nothing_entered"), (101, "score_range"), (-1, "score_range")])
def test_an_invalid_result_is_refused(db, enrolment, score, code):
    with pytest.raises(DomainError) as caught:
        save(db, enrolment, Marks(score))
    assert caught.value.code == code


def test_a_skill_of_another_course_is_not_found(db, make, enrolment):
    with pytest.raises(NotFound):
        save(db, enrolment, Marks(None, {make.new_course().skills[0].id: True}))


def test_a_closed_offering_needs_a_reason_and_a_cancelled_one_takes_none(db, make, offering, enrolment):
    offering.state, offering.closed_at, offering.counted_on = OfferingState.CLOSED, clock.now(), clock.branch_today()
    db.flush()
    with pytest.raises(DomainError) as caught:
        save(db, enrolment, Marks(70))
    assert caught.value.code == "reason_missing"
    assert save(db, enrolment, Marks(70), reason="登分错误").theory_score == 70
    off = make.offering(state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="暴雨")
    with pytest.raises(DomainError) as caught:
        save(db, make.enrolment(off), Marks(70))
    assert caught.value.code == "not_running"


def test_who_may_examine(db, make, offering):
    near, far = make.instructor(), make.instructor(district_id=2)
    unqualified = make.instructor("RESCUE")
    ids = {person.id for person in assessment.eligible_examiners(db, offering, clock.branch_today())}
    assert near.id in ids
    assert offering.lead_instructor_id in ids
    assert not {far.id, unqualified.id} & ids


def test_the_list_and_the_next_one_without_results(db, make, offering):
    rows = [make.enrolment(offering, make.trainee(name)) for name in ("陈静", "李娜", "张伟")]
    for row in (rows[0], rows[2]):
        recording.record(db, happening(row, offering), now=clock.now())
    assert [line.name for line in assessment.result_rows(db, offering.id)] == ["陈静", "李娜", "张伟"]
    save(db, rows[0], Marks(70))
    assert assessment.next_without_result(db, offering.id, rows[0].id) == rows[2].id
    save(db, rows[2], Marks(70))
    assert assessment.next_without_result(db, offering.id, rows[2].id) is None
