import re

import pytest

from courses import assessment, attendance, roster, sessions
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.test_attendance import happening
from tests.courses.test_sessions import ZONE


@pytest.fixture
def instructor(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def offering(make, instructor):
    return make.offering(course=make.new_course(skills=2), lead=make.instructor(user=instructor, name="王老师"))


@pytest.fixture
def enrolment(make, offering):
    return make.enrolment(offering, make.trainee("陈静"))


@pytest.fixture
def phone(instructor, enrolment, sign_in):
    return sign_in(instructor)


@pytest.fixture
def address(offering):
    return f"/offerings/{offering.id}/assessment"


def seen_on(page):
    return re.search(r'name="seen"[^>]*value="([^"]+)"', page).group(1)


def marks(offering, page, **facts):
    skills = {f"skill-{skill.id}": "passed" for skill in offering.course.skills}
    lead = offering.lead_instructor_id
    return {"seen": seen_on(page), "theory_score": "80", "examiner": str(lead), **skills, **facts}


def test_results_are_entered_and_shown(phone, address, offering, enrolment, db):
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    assert "教考分离" in page
    assert phone.post(place, data=marks(offering, page)).status_code == 302
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert (attempt.theory_score, attempt.examiner_id) == (80, offering.lead_instructor_id)
    listed = phone.get(address).text
    assert "理论 80" in listed
    assert "技能 2/2" in listed


def test_saving_goes_on_to_the_next_trainee(make, phone, address, offering, enrolment):
    following = make.enrolment(offering, make.trainee("张伟"))
    attendance.record(make.db, happening(following), now=clock.now())
    make.db.commit()
    place = f"{address}/{enrolment.id}"
    answer = phone.post(place, data={**marks(offering, phone.get(place).text), "next": "1"})
    assert answer.location == f"{address}/{following.id}"


def test_the_second_examiner_sees_what_the_first_saved_and_keeps_the_own_entry(phone, address, offering, enrolment, db):
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    phone.post(place, data=marks(offering, page))
    clash = phone.post(place, data=marks(offering, page, theory_score="55"))
    assert clash.status_code == 422
    assert "期间已有他人保存" in clash.text
    assert 'value="55"' in clash.text
    assert "80" in clash.text
    assert phone.post(place, data=marks(offering, clash.text, theory_score="55")).status_code == 302
    assert assessment.attempts_of(db, enrolment.id)[0].theory_score == 55


def test_a_retest_is_a_new_attempt(phone, address, offering, enrolment, db):
    place = f"{address}/{enrolment.id}"
    phone.post(place, data=marks(offering, phone.get(place).text, theory_score="40"))
    again = phone.get(f"{place}?retest=1").text
    assert "40" in again
    assert phone.post(f"{place}?retest=1", data=marks(offering, again)).status_code == 302
    assert [one.theory_score for one in assessment.attempts_of(db, enrolment.id)] == [40, 80]


@pytest.mark.parametrize(
    "facts", [{"theory_score": "101"}, {"theory_score": "", "examiner": "999999"}, {"theory_score": "abc"}]
)
def test_what_is_no_result_stays_on_the_form(phone, address, enrolment, facts, db):
    place = f"{address}/{enrolment.id}"
    assert phone.post(place, data=marks(enrolment.offering, phone.get(place).text, **facts)).status_code == 422
    assert assessment.attempts_of(db, enrolment.id) == []


def test_after_closing_a_result_needs_a_reason_and_everything_follows(phone, address, offering, enrolment, db):
    attendance.record(db, happening(enrolment), now=clock.now())
    sessions.close(db, roster.meeting(db, offering.sessions[0].id, EVERYTHING), zone=ZONE)
    db.commit()
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    assert phone.post(place, data=marks(offering, page)).status_code == 422
    assert phone.post(place, data=marks(offering, page, reason="漏登")).status_code == 302
    db.refresh(enrolment)
    assert (enrolment.state, enrolment.certificate_due) == (EnrolmentState.COMPLETED, True)


def test_another_instructors_results_are_not_found(make, address, enrolment, sign_in, db):
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    browser = sign_in(stranger)
    assert browser.get(address).status_code == 404
    assert browser.get(f"{address}/{enrolment.id}").status_code == 404
    auditor = sign_in(make.user(Role.AUDITOR))
    assert auditor.get(address).status_code == 200
    assert auditor.post(f"{address}/{enrolment.id}").status_code == 403
