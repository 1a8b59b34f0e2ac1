from datetime import timedelta

from courses.closing import closing, headcount
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import clock
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, arrived, loaded, passing, published, refusal


def test_closing_judges_everybody_counts_and_publishes(db, make, offering):
    earns, failed, unmarked, absent = (make.enrolment(offering) for _ in range(4))
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    gone = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    for row in (earns, failed, unmarked):
        arrived(db, row)
    passing(db, earns)
    passing(db, failed, 59)
    meeting = loaded(db, offering)
    headcount.enter(db, meeting, 7, now=clock.now())
    seen = closing.outlook(db, meeting)
    assert (seen.last, seen.present, seen.people, seen.certificates_due, len(seen.not_certified)) == (True, 3, 3, 1, 3)
    closing.close(db, meeting, zone=ZONE, seen=seen.seen, **CONFIRMED)
    assert (offering.state, offering.counted_on) == (OfferingState.CLOSED, clock.day_of(meeting.starts_at, ZONE))
    assert meeting.closed_at == offering.closed_at
    assert (earns.state, earns.certificate_due, earns.shortfalls) == (EnrolmentState.COMPLETED, True, [])
    assert (failed.state, failed.shortfalls) == (EnrolmentState.FAILED, ["theory_failed"])
    assert (unmarked.state, unmarked.shortfalls) == (EnrolmentState.INCOMPLETE, ["theory_missing", "skills_missing"])
    assert (absent.state, absent.shortfalls[0]) == (EnrolmentState.INCOMPLETE, "absent")
    assert waiting.state == EnrolmentState.CANCELLED
    assert waiting.cancel_reason
    assert gone.state == EnrolmentState.CANCELLED
    assert (earns.sessions_attended, earns.minutes_attended) == (1, 60)
    totals = person_time.total(db, offering.id)
    assert (totals.enrolled, totals.named, totals.counted, totals.passed) == (4, 3, 7, 1)
    assert person_time.ledger_total(db, offering.id) == totals
    assert published(db) == [OfferingClosed(offering.id)]
    assert refusal(closing.close, db, meeting, zone=ZONE) == "not_running"


def test_a_session_that_is_not_the_last_closes_alone(db, make):
    now = clock.now()
    offering = make.offering(starts=[now - timedelta(hours=3), now - timedelta(hours=1)], hours=1)
    arrived(db, make.enrolment(offering))
    first = loaded(db, offering)
    assert not closing.close(db, first, zone=ZONE, **CONFIRMED).last
    assert offering.state == OfferingState.PUBLISHED
    assert published(db) == []
    assert closing.close(db, loaded(db, offering, 1), zone=ZONE, **CONFIRMED).last
    assert offering.state == OfferingState.CLOSED


def test_closing_is_refused_before_the_session_begins_and_where_nobody_came(db, make, offering):
    coming = make.offering(starts=[clock.now() + timedelta(minutes=30)])
    assert refusal(closing.close, db, loaded(db, coming), zone=ZONE) == "not_begun"
    make.enrolment(offering)
    assert refusal(closing.close, db, loaded(db, offering), zone=ZONE) == "nobody_came"


def test_a_confirmation_of_an_outdated_page_is_refused(db, make, offering):
    arrived(db, make.enrolment(offering))
    meeting = loaded(db, offering)
    seen = closing.outlook(db, meeting).seen
    arrived(db, make.enrolment(offering))
    assert refusal(closing.close, db, meeting, zone=ZONE, seen=seen) == "closing_changed"


def test_the_outlook_names_who_is_short(db, make, offering):
    fine, short = make.enrolment(offering), make.enrolment(offering)
    passing(db, arrived(db, fine))
    assert [judgement.enrolment.id for judgement in closing.outlook(db, loaded(db, offering)).not_certified] == [
        short.id
    ]


def test_closing_judges_once(db, make, offering, statements):
    for _ in range(3):
        passing(db, arrived(db, make.enrolment(offering)))
    meeting = loaded(db, offering)
    statements.clear()
    closing.close(db, meeting, zone=ZONE, **CONFIRMED)
    # Judging alone sums the attendances of each enrolment, and reads all theory scores of the offering.
    sums = [statement for statement in statements if "GROUP BY attendance.enrolment_id" in statement]
    scores = [
        statement for statement in statements if statement.startswith("SELECT assessment.id, assessment.enrolment_id")
    ]
    assert (len(sums), len([score for score in scores if "theory_score" in score])) == (1, 1), "\n".join(statements)
