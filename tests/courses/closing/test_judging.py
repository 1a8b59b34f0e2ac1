from datetime import timedelta

from courses.assessment.entitlement import Shortfall
from courses.attendance.recording import record
from courses.closing import judging
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.courses.attendance.test_recording import happening
from tests.courses.closing.steps import arrived, passing


def test_writing_the_judgements_twice_changes_nothing_more(db, make):
    course = make.new_course(pass_mark=None, skills=0, certificate_type=None)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=4)], hours=2)
    came, absent = make.enrolment(offering), make.enrolment(offering)
    start = offering.sessions[0].starts_at
    record(db, happening(came, told_at=start + timedelta(minutes=30)), now=start + timedelta(minutes=30))
    for _ in range(2):
        judging.write(db, judging.judgements(db, offering.id))
        assert (came.state, came.sessions_attended, came.minutes_attended) == (EnrolmentState.COMPLETED, 1, 90)
        assert (came.shortfalls, came.certificate_due) == (["no_certificate_course"], False)
        assert (absent.state, absent.minutes_attended) == (EnrolmentState.INCOMPLETE, 0)


def test_everybody_with_a_place_is_judged_in_the_order_of_names(db, make, offering):
    rows = [make.enrolment(offering, make.trainee(name)) for name in ("张伟", "陈静", "李娜")]
    make.enrolment(offering, make.trainee("白雪"), state=EnrolmentState.WAITLISTED)
    make.enrolment(offering, make.trainee("丁一"), state=EnrolmentState.CANCELLED)
    passing(db, arrived(db, rows[0]))
    judgements = judging.judgements(db, offering.id)
    assert [judgement.enrolment.trainee.name for judgement in judgements] == ["陈静", "李娜", "张伟"]
    assert [judgement.verdict.certificate_due for judgement in judgements] == [False, False, True]
    assert judgements[0].verdict.shortfalls[0] == Shortfall.ABSENT


def test_judging_writes_nothing(db, make, offering):
    enrolment = make.enrolment(offering)
    passing(db, arrived(db, enrolment))
    (judgement,) = judging.judgements(db, offering.id)
    assert judgement.verdict.certificate_due
    assert not db.dirty
    assert (enrolment.state, enrolment.certificate_due) == (EnrolmentState.ENROLLED, False)
