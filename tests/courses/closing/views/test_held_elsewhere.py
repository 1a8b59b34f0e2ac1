"""The pages on which administrators see what is held, and accept a certificate of another branch."""

from datetime import timedelta

from lms.core import clock
from lms.core.scope import Role
from tests.courses.closing.steps import arrived


def test_an_administrator_is_led_from_the_closing_page_to_the_decision(db, make, sign_in):
    course = make.new_course(pass_mark=None, skills=0, refresher=True, hours=1)
    make.prerequisite(course, lapsed_months=None)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=2)], hours=1)
    enrolment = arrived(db, make.enrolment(offering, make.trainee("张伟", district_id=1)))
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    address = f"/offerings/{offering.id}/enrolments/{enrolment.id}/held"
    page = browser.get(f"/sessions/{offering.sessions[0].id}/close").text
    assert "不持有课程要求的证书" in page
    assert address in page
    assert "有效或已过期均可" in browser.get(address).text
    assert browser.post(address, data={"evidence": "天津 TJ-17", "reason": ""}).status_code == 422
    assert browser.post(address, data={"evidence": "天津 TJ-17", "reason": "见原件"}).location == address
    assert "已认可" in browser.get(f"/offerings/{offering.id}/enrolments/").text
    assert "不持有课程要求的证书" not in browser.get(f"/sessions/{offering.sessions[0].id}/close").text


def test_numbers_and_days_are_shown_for_records_in_reach_alone(db, make, sign_in):
    course = make.new_course(refresher=True)
    make.prerequisite(course)
    offering = make.offering(course=course)
    own, elsewhere = make.trainee("甲", district_id=1), make.trainee("乙", district_id=2)
    numbers = [make.legacy_certificate(trainee, None).number for trainee in (own, elsewhere)]
    rows = [make.enrolment(offering, trainee) for trainee in (own, elsewhere)]
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    listed = browser.get(f"/offerings/{offering.id}/enrolments/").text
    assert [number in listed for number in numbers] == [True, False]
    pages = [browser.get(f"/offerings/{offering.id}/enrolments/{row.id}/held").text for row in rows]
    assert [number in page for number, page in zip(numbers, pages, strict=True)] == [True, False]
