"""The screen with the rotating code: its key, its end with the session, and what it shows."""

from sqlalchemy import select

from courses.attendance.self_check_in import claims, code_display, rotating_code
from courses.closing import closing
from courses.closing.spot_check import HeadCount
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.models.self_check_in import CheckInClaim, CheckInKey
from lms.core import clock
from tests.courses.attendance.self_check_in.steps import checked_in, claimed, code_at
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, refusal


def test_the_key_is_sealed_and_dies_with_the_session(db, make, offering, meeting):
    make.enrolment(offering)
    row = db.scalars(select(CheckInKey)).one()
    assert row.key not in row.key_sealed
    shown = code_at(db, meeting, clock.now())
    mine = claimed(db, meeting)
    checked_in(db, mine, make.enrolment(offering))
    closing.close(db, meeting, zone=ZONE, heads=HeadCount(1), **CONFIRMED)
    assert db.scalars(select(CheckInKey)).all() == []
    assert db.scalars(select(CheckInClaim)).all() == []
    assert refusal(claims.issue, db, meeting.id, shown, browser=None, now=clock.now()) == "code_expired"
    assert code_display.read_screen(db, meeting.id, now=clock.now()).codes == []
    assert refusal(code_display.show, db, meeting, now=clock.now()) == "not_running"


def test_a_code_that_was_taken_away_is_void_and_a_new_one_is_another(db, meeting):
    now = clock.now()
    shown = code_at(db, meeting, now)
    code_display.hide(db, meeting)
    assert refusal(claims.issue, db, meeting.id, shown, browser=None, now=now) == "code_expired"
    code_display.show(db, meeting, now=now)
    assert code_at(db, meeting, now) != shown
    kept = code_at(db, meeting, now)
    code_display.show(db, meeting, now=now)
    assert code_at(db, meeting, now) == kept


def test_a_cancelled_offering_has_no_code(db, offering, meeting):
    shown = code_at(db, meeting, clock.now())
    offering.state, offering.cancel_reason, offering.cancelled_at = OfferingState.CANCELLED, "暴雨", clock.now()
    db.flush()
    assert refusal(claims.issue, db, meeting.id, shown, browser=None, now=clock.now()) == "code_expired"
    assert code_display.read_screen(db, meeting.id, now=clock.now()).codes == []
    assert refusal(code_display.show, db, meeting, now=clock.now()) == "not_running"


def test_the_screen_shows_masked_names_and_the_codes_of_two_minutes(db, make, offering, meeting):
    there = make.enrolment(offering, make.trainee("张三丰"))
    make.enrolment(offering, make.trainee("李四"))
    make.enrolment(offering, make.trainee("王五"), state=EnrolmentState.WAITLISTED)
    checked_in(db, claimed(db, meeting), there)
    now = clock.now()
    shown = code_display.read_screen(db, meeting.id, now=now)
    assert [person.name for person in shown.present] == ["张*丰"]
    assert [person.name for person in shown.missing] == ["李*"]
    first = rotating_code.step_of(now)
    assert [step for step, _ in shown.codes] == list(range(first, first + 12))
    assert shown.codes[0][1] == code_at(db, meeting, now)
