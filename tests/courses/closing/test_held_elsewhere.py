"""A certificate of another branch, seen on paper: accepted with a reason, and judged again where the class is closed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from courses.closing import closing, held_elsewhere
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import Denied
from lms.core.scope import EVERYTHING, Scope
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, arrived, loaded, refusal

EVIDENCE = "天津市红十字会 TJ-17，有效期至 2027-05-01"


def decide(db, enrolment, evidence, *, reason="核对原件", scope=EVERYTHING):
    return held_elsewhere.decide(db, enrolment, evidence, reason, scope=scope, now=clock.now(), zone=ZONE)


@pytest.fixture
def lacking(db, make):
    """An enrolment of a closed refresher whose trainee holds nothing."""
    course = make.new_course(pass_mark=None, skills=0, refresher=True)
    make.prerequisite(course)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=2)], hours=1)
    enrolment = arrived(db, make.enrolment(offering))
    closing.close(db, loaded(db, offering), zone=ZONE, **CONFIRMED)
    assert (enrolment.state, enrolment.certificate_due) == (EnrolmentState.COMPLETED, False)
    assert enrolment.shortfalls == ["not_held"]
    return enrolment


def test_what_is_accepted_after_the_closing_makes_the_certificate_due_and_is_on_record(db, lacking):
    assert decide(db, lacking, EVIDENCE) == []
    assert (lacking.certificate_due, lacking.shortfalls) == (True, [])
    assert held_elsewhere.standing_of(db, lacking).met
    lacking.certified_at = clock.now()
    assert [judgement.enrolment.id for judgement in decide(db, lacking, "", reason="原件有误")] == [lacking.id]
    assert (lacking.held_elsewhere, lacking.certificate_due) == (None, False)
    entries = db.scalars(
        select(AuditEntry).where(AuditEntry.action == "enrolment.held_elsewhere").order_by(AuditEntry.id)
    ).all()
    assert [(entry.after["held_elsewhere"], entry.reason) for entry in entries] == [
        (EVIDENCE, "核对原件"),
        (None, "原件有误"),
    ]


def test_a_legacy_certificate_that_was_linked_meanwhile_counts_once_it_is_judged_again(db, make, lacking):
    assert held_elsewhere.to_judge_again(db, lacking.trainee, EVERYTHING) == []
    make.legacy_certificate(lacking.trainee, None)
    assert not lacking.certificate_due
    assert held_elsewhere.to_judge_again(db, lacking.trainee, EVERYTHING) == [lacking]
    assert held_elsewhere.to_judge_again(db, lacking.trainee, Scope(district_ids=frozenset({9}))) == []
    decide(db, lacking, None)
    assert held_elsewhere.to_judge_again(db, lacking.trainee, EVERYTHING) == []
    assert (lacking.certificate_due, lacking.held_elsewhere) == (True, None)


def test_who_may_not_decide_and_what_cannot_be(db, make, lacking):
    with pytest.raises(Denied):
        decide(db, lacking, EVIDENCE, scope=Scope(district_ids=frozenset({2})))
    assert refusal(decide, db, lacking, EVIDENCE, reason="  ") == "reason_missing"
    plain = make.enrolment(make.offering())
    assert refusal(decide, db, plain, EVIDENCE) == "nothing_demanded"
    course = make.new_course()
    make.prerequisite(course)
    cancelled = make.enrolment(make.offering(course=course), state=EnrolmentState.CANCELLED)
    assert refusal(decide, db, cancelled, EVIDENCE) == "enrolment_cancelled"
