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


def refresher_class(make, **facts):
    """A class of a refresher that is over and demands type 1; facts: of the demand."""
    course = make.new_course(pass_mark=None, skills=0, refresher=True)
    make.prerequisite(course, **facts)
    return make.offering(course=course, starts=[clock.now() - timedelta(hours=2)], hours=1)


def test_a_refresher_certifies_holders_and_the_others_only_complete_it(db, make, statements):
    offering = refresher_class(make, lapsed_months=1)
    today = clock.last_branch_day([offering.sessions[-1].ends_at])  # soon after midnight the class was yesterday's
    holder, lapsed, nobody, accepted = (make.trainee(name) for name in ("甲", "乙", "丙", "丁"))
    make.legacy_certificate(holder, today - timedelta(days=27))
    make.legacy_certificate(lapsed, today - timedelta(days=32))
    make.legacy_certificate(nobody, None, certificate_type=2)
    rows = [arrived(db, make.enrolment(offering, trainee)) for trainee in (holder, lapsed, nobody, accepted)]
    rows[3].held_elsewhere = "天津市红十字会 TJ-17，有效期至 2027-05-01"
    db.flush()
    statements.clear()
    judged = {judgement.enrolment.id: judgement for judgement in judging.judgements(db, offering.id)}
    in_reading = len(statements)
    assert [judged[row.id].verdict.certificate_due for row in rows] == [True, False, False, True]
    assert judged[rows[1].id].verdict.shortfalls == judged[rows[2].id].verdict.shortfalls == (Shortfall.NOT_HELD,)
    assert [judged[row.id].standing.outcome for row in rows] == ["held", "lapsed", "nothing", "elsewhere"]
    judging.write(db, list(judged.values()))
    assert {row.state for row in rows} == {EnrolmentState.COMPLETED}
    make.legacy_certificate(rows[2].trainee, None)
    assert [row.verdict.certificate_due for row in judging.judgements(db, offering.id)].count(True) == 3
    plain = make.offering(course=make.new_course(pass_mark=None, skills=0), starts=[clock.now()])
    make.enrolment(plain)
    statements.clear()
    judging.judgements(db, plain.id)
    assert in_reading == len(statements) + 1


def test_a_class_that_ended_before_the_demand_is_not_judged_by_it(db, make):
    offering = refresher_class(make, since=clock.branch_today() + timedelta(days=1))
    arrived(db, make.enrolment(offering))
    (judgement,) = judging.judgements(db, offering.id)
    assert judgement.verdict.certificate_due
    assert judgement.standing is None


def test_a_course_without_a_certificate_refuses_none(db, make):
    course = make.new_course(pass_mark=None, skills=0, certificate_type=None)
    make.prerequisite(course)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=2)], hours=1)
    arrived(db, make.enrolment(offering))
    (judgement,) = judging.judgements(db, offering.id)
    assert judgement.verdict.shortfalls == (Shortfall.NO_CERTIFICATE_COURSE,)


def test_judging_writes_nothing(db, make, offering):
    enrolment = make.enrolment(offering)
    passing(db, arrived(db, enrolment))
    (judgement,) = judging.judgements(db, offering.id)
    assert judgement.verdict.certificate_due
    assert not db.dirty
    assert (enrolment.state, enrolment.certificate_due) == (EnrolmentState.ENROLLED, False)
