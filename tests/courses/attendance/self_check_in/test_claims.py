"""A claim of self check-in lasts three minutes, for one browser, once; and whom it checks in."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select

from courses.attendance import check_in_window, recording
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.self_check_in import claims, code_display
from courses.attendance.self_check_in.claims import CLAIM_LIFETIME, EARLY_SCAN, TRIES, ClaimState
from courses.closing import closing, reviews
from courses.closing.spot_check import HeadCount
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceMethod, ReviewReason
from courses.models.enrolment import EnrolmentState
from courses.models.self_check_in import CheckInClaim
from courses.models.walk_ins import WalkInPerson
from lms.core import clock
from lms.core.scope import EVERYTHING
from tests.courses.attendance.self_check_in.steps import checked_in, claimed, code_at, scanned
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, loaded, passing, refusal

SECOND = timedelta(seconds=1)


def event_of(db, found):
    return db.scalars(select(AttendanceEvent).where(AttendanceEvent.id == found.claim.id)).one()


def test_a_scan_and_a_ticket_check_somebody_in_once(db, make, offering, meeting):
    row = make.enrolment(offering)
    found = claimed(db, meeting)
    (one,) = claims.known_trainees(db, found, tickets=[row.ticket], user_id=None)
    assert (one.enrolment_id, one.name) == (row.id, row.trainee.name)
    assert claims.result(db, found) is None
    for _ in range(2):
        assert checked_in(db, found, row).state == ClaimState.PRESENT
    assert event_of(db, found).method == AttendanceMethod.SELF
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1


def test_a_used_claim_checks_nobody_else_in(db, make, offering, meeting):
    first, other = make.enrolment(offering), make.enrolment(offering)
    found = claimed(db, meeting)
    checked_in(db, found, first)
    checked_in(db, found, other)
    assert db.scalars(select(Attendance.enrolment_id)).all() == [first.id]


def test_a_code_of_twenty_seconds_or_of_nobody_gives_nothing(db, make, offering, meeting):
    now = clock.now()
    shown = code_at(db, meeting, now)
    for sent, moment in ((shown, now + timedelta(seconds=20)), ("A" * 16, now), ("", now)):
        assert refusal(claims.issue, db, meeting.id, sent, browser=None, now=moment) == "code_expired"
    elsewhere = loaded(db, make.offering())
    assert refusal(claims.issue, db, elsewhere.id, shown, browser=None, now=now) == "code_expired"
    assert refusal(claims.issue, db, 10**9, shown, browser=None, now=now) == "code_expired"
    assert db.scalar(select(func.count()).select_from(CheckInClaim)) == 0


def test_a_claim_lasts_three_minutes(db, make, offering, meeting):
    row, now = make.enrolment(offering), clock.now()
    token = scanned(db, meeting, now=now).token
    found = claims.load(db, token, now=now + CLAIM_LIFETIME - SECOND)
    assert refusal(claims.load, db, token, now=now + CLAIM_LIFETIME) == "code_expired"
    assert refusal(claims.check_in, db, found, row.id, now=now + CLAIM_LIFETIME) == "code_expired"
    assert refusal(claims.load, db, None, now=now) == "code_expired"
    assert refusal(claims.load, db, "guess", now=now) == "code_expired"


def test_a_claim_is_kept_as_hashes_that_differ_from_session_to_session(db, make, meeting):
    mine = scanned(db, meeting)
    other = loaded(db, make.offering())
    code_display.show(db, other, now=clock.now())
    theirs = scanned(db, other, browser=mine.browser)
    assert theirs.browser == mine.browser
    rows = db.scalars(select(CheckInClaim)).all()
    assert len({row.browser_hash for row in rows}) == 2
    kept = b"".join(row.browser_hash + row.token_hash for row in rows)
    assert mine.token.encode() not in kept
    assert mine.browser.encode() not in kept


def test_an_early_scan_waits_and_a_much_too_early_one_is_refused(db, make):
    opening = clock.now() + timedelta(minutes=10)
    offering = make.offering(starts=[opening + check_in_window.OPENS_BEFORE])
    row, meeting = make.enrolment(offering), loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    much_too_early = opening - EARLY_SCAN - SECOND
    assert refusal(scanned, db, meeting, now=much_too_early) == "too_early"
    found = claimed(db, meeting, now=opening - EARLY_SCAN)
    assert check_in_window.opening_ahead(found.meeting, opening - SECOND) == opening
    assert check_in_window.opening_ahead(found.meeting, opening) is None
    assert found.claim.expires_at == opening + CLAIM_LIFETIME
    checked_in(db, found, row, now=opening)
    assert db.scalars(select(Attendance.arrived_at)).one() == opening


def test_nobody_comes_in_before_check_in_opens(db, make):
    offering = make.offering(starts=[clock.now() + check_in_window.OPENS_BEFORE + timedelta(minutes=5)])
    row, meeting = make.enrolment(offering), loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    found = claimed(db, meeting)
    assert refusal(claims.check_in, db, found, row.id, now=clock.now()) == "too_early"
    assert found.claim.used_at is None
    assert db.scalars(select(AttendanceEvent)).all() == []


def test_nobody_comes_in_after_the_end(db, make, meeting):
    late = meeting.ends_at + SECOND
    assert refusal(scanned, db, meeting, now=late) == "session_over"
    assert code_display.read_screen(db, meeting.id, now=late).codes == []


def test_name_and_end_of_the_phone_find_one_person_and_tell_nothing_else(db, make, offering, meeting):
    row = make.enrolment(offering, make.trainee("王 小明", name_key="王小明", phone="+8613812345678"))
    make.enrolment(offering, make.trainee("李娜", phone="+8613900005678"))
    child = make.enrolment(offering, make.trainee("小花", phone=None, guardian_phone="+8613700001111"))
    make.enrolment(make.offering(), make.trainee("赵钱", phone="+8613812349999"))
    found = claimed(db, meeting)
    assert claims.find_enrolment(db, found, "王小明 ", "5678") == row.id
    assert claims.find_enrolment(db, found, "小花", "1111") == child.id
    for name, tail in (("王小明", "5679"), ("赵钱", "9999"), ("", "5678")):
        found = claimed(db, meeting)
        assert claims.find_enrolment(db, found, name, tail) is None


def test_two_whom_both_fit_are_left_to_the_instructor(db, make, offering, meeting):
    for _ in range(2):
        make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    assert claims.find_enrolment(db, claimed(db, meeting), "王小明", "5678") is None


def test_a_claim_has_five_tries(db, make, offering, meeting):
    row = make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    found = claimed(db, meeting)
    for _ in range(TRIES):
        assert claims.find_enrolment(db, found, "王小明", "0000") is None
    assert refusal(claims.find_enrolment, db, found, "王小明", "5678") == "too_many_tries"
    claims.check_in_by_name(db, found, "王小明", now=clock.now())
    assert claims.result(db, found).state == ClaimState.UNLISTED
    assert db.scalars(select(Attendance).where(Attendance.enrolment_id == row.id)).all() == []


def test_a_search_sends_the_same_statements_whatever_it_finds(db, make, offering, meeting, statements):
    make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    found, asked = claimed(db, meeting), []
    for name, tail in (("王小明", "5678"), ("王小明", "0000"), ("无此人", "5678")):
        statements.clear()
        claims.find_enrolment(db, found, name, tail)
        db.flush()
        asked.append([statement.split(" WHERE")[0] for statement in statements])
    assert asked[0] == asked[1] == asked[2]


def test_a_person_who_is_not_on_the_list_is_stored_for_review(db, meeting):
    found = claimed(db, meeting)
    for _ in range(2):
        claims.check_in_by_name(db, found, "孙晓明", now=clock.now())
    event = event_of(db, found)
    assert (event.review, event.method, event.enrolment_id) == (ReviewReason.WALK_IN_MATCH, AttendanceMethod.SELF, None)
    assert db.scalars(select(WalkInPerson.name)).all() == ["孙晓明"]
    assert claims.result(db, found).state == ClaimState.UNLISTED
    assert db.scalars(select(Attendance)).all() == []


def test_a_second_person_of_one_browser_waits_for_the_instructor(db, make, offering, meeting):
    first, second = make.enrolment(offering), make.enrolment(offering)
    mine = scanned(db, meeting)
    checked_in(db, claims.load(db, mine.token, now=clock.now()), first)
    found = claimed(db, meeting, browser=mine.browser)
    assert checked_in(db, found, second).state == ClaimState.SECOND
    assert event_of(db, found).review == ReviewReason.SECOND_FROM_BROWSER
    assert db.scalars(select(Attendance.enrolment_id)).all() == [first.id]
    # The same person again, and another browser, are no matter.
    again = claimed(db, meeting, browser=mine.browser)
    assert checked_in(db, again, first).state == ClaimState.PRESENT
    third = make.enrolment(offering)
    assert checked_in(db, claimed(db, meeting), third).state == ClaimState.PRESENT


def test_somebody_whom_the_instructor_checked_in_needs_no_review(db, make, offering, meeting):
    first, second = make.enrolment(offering), make.enrolment(offering)
    mine = scanned(db, meeting)
    checked_in(db, claims.load(db, mine.token, now=clock.now()), first)
    recording.record(db, AttendanceInput(uuid4(), meeting.id, second.id), now=clock.now())
    assert checked_in(db, claimed(db, meeting, browser=mine.browser), second).state == ClaimState.PRESENT


def test_a_browser_serves_one_person_at_each_session(db, make, offering, meeting):
    mine = scanned(db, meeting)
    checked_in(db, claims.load(db, mine.token, now=clock.now()), make.enrolment(offering))
    tomorrow = make.offering()
    other = loaded(db, tomorrow)
    code_display.show(db, other, now=clock.now())
    found = claimed(db, other, browser=mine.browser)
    assert checked_in(db, found, make.enrolment(tomorrow)).state == ClaimState.PRESENT


def test_somebody_who_waits_for_a_place_is_left_to_the_instructor(db, make, offering, meeting):
    row = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    found = claimed(db, meeting)
    assert checked_in(db, found, row).state == ClaimState.DOUBTFUL
    assert db.scalars(select(Attendance)).all() == []


def test_an_account_finds_its_trainee_and_nobody_elses(db, make, offering, meeting):
    user = make.user()
    row = make.enrolment(offering, make.trainee(user_id=user.id))
    make.enrolment(offering)
    elsewhere = make.enrolment(make.offering())
    found = claimed(db, meeting)
    assert [one.enrolment_id for one in claims.known_trainees(db, found, tickets=[], user_id=user.id)] == [row.id]
    assert claims.known_trainees(db, found, tickets=[elsewhere.ticket], user_id=None) == []
    assert claims.known_trainees(db, found, tickets=[], user_id=None) == []


def test_checking_oneself_in_earns_no_certificate_where_results_are_demanded(db, make):
    offering = make.offering(course=make.new_course(skills=1))
    present, passed = make.enrolment(offering), make.enrolment(offering)
    meeting = loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    for row in (present, passed):
        checked_in(db, claimed(db, meeting), row)
    passing(db, passed)
    closing.close(db, meeting, zone=ZONE, heads=HeadCount(2), **CONFIRMED)
    assert (present.state, present.certificate_due) == (EnrolmentState.INCOMPLETE, False)
    assert present.shortfalls == ["theory_missing", "skills_missing"]
    assert (passed.state, passed.certificate_due) == (EnrolmentState.COMPLETED, True)


def test_a_second_person_in_review_earns_nothing_at_all(db, make):
    offering = make.offering(course=make.new_course(skills=0, pass_mark=None))
    first, second = make.enrolment(offering), make.enrolment(offering)
    meeting = loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    mine = scanned(db, meeting)
    checked_in(db, claims.load(db, mine.token, now=clock.now()), first)
    checked_in(db, claimed(db, meeting, browser=mine.browser), second)
    closing.close(db, meeting, zone=ZONE, heads=HeadCount(1), **CONFIRMED)
    assert (first.certificate_due, second.certificate_due) == (True, False)


def test_the_trainee_sees_the_instructors_decision(db, make, offering, meeting):
    first, second, third = (make.enrolment(offering) for _ in range(3))
    mine = scanned(db, meeting)
    checked_in(db, claims.load(db, mine.token, now=clock.now()), first)
    doubted = claimed(db, meeting, browser=mine.browser)
    assert checked_in(db, doubted, second).state == ClaimState.SECOND
    unlisted = claimed(db, meeting)
    claims.check_in_by_name(db, unlisted, "张三", now=clock.now())
    assert code_display.read_screen(db, meeting.id, now=clock.now()).waiting == 2
    facts = {"scope": EVERYTHING, "now": clock.now(), "zone": ZONE}
    reviews.accept(db, doubted.claim.id, **facts)
    reviews.merge(db, unlisted.claim.id, third.id, **facts)
    assert {claims.result(db, found).state for found in (doubted, unlisted)} == {ClaimState.PRESENT}
    assert set(db.scalars(select(Attendance.enrolment_id))) == {first.id, second.id, third.id}
    assert code_display.read_screen(db, meeting.id, now=clock.now()).waiting == 0
