"""The page of one trainee's results, before and after closing."""

import re
from uuid import uuid4

import pytest

from courses.assessment import assessment, skill_results
from courses.assessment.skill_results import SkillInput
from courses.attendance import recording, roster
from courses.closing import closing
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.attendance.test_recording import happening
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE


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
    assert re.search(rf'name="theory-{enrolment.id}" value="80"', listed)
    assert len(re.findall(rf'name="skill-{enrolment.id}-[0-9]+" value="passed"[^>]* checked', listed)) == 2


def test_saving_goes_on_to_the_next_trainee(make, phone, address, offering, enrolment):
    following = make.enrolment(offering, make.trainee("张伟"))
    recording.record(make.db, happening(following), now=clock.now())
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
    recording.record(db, happening(enrolment), now=clock.now())
    closing.close(db, roster.load_session(db, offering.sessions[0].id, EVERYTHING), zone=ZONE, **CONFIRMED)
    db.commit()
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    assert phone.post(place, data=marks(offering, page)).status_code == 422
    assert phone.post(place, data=marks(offering, page, reason="漏登")).status_code == 302
    db.refresh(enrolment)
    assert (enrolment.state, enrolment.certificate_due) == (EnrolmentState.COMPLETED, True)


def test_two_examiners_of_one_trainee_keep_both_their_skills(phone, address, offering, enrolment, db):
    first, second = (skill.id for skill in offering.course.skills)
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    mine = {"seen": seen_on(page), "examiner": "0", f"skill-{first}": "passed"}
    theirs = {"seen": seen_on(page), "examiner": "0", f"skill-{second}": "not_yet"}
    assert phone.post(place, data=mine).status_code == 302
    assert phone.post(place, data=theirs).status_code == 302
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert {one.skill_id: one.passed for one in attempt.skills} == {first: True, second: False}


def test_after_a_conflict_the_form_takes_up_what_others_saved_elsewhere(phone, address, offering, enrolment, db):
    first, second = (skill.id for skill in offering.course.skills)
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    phone.post(
        place,
        data={"seen": seen_on(page), "examiner": "0", f"skill-{first}": "passed", f"skill-{second}": "passed"},
    )
    clash = phone.post(place, data={"seen": seen_on(page), "examiner": "0", f"skill-{first}": "not_yet"})
    assert clash.status_code == 422
    checked = re.findall(r'name="(skill-[0-9]+)" id="[^"]*" value="([a-z_]*)"[^>]*? checked', clash.text)
    assert dict(checked) == {f"skill-{first}": "not_yet", f"skill-{second}": "passed"}
    again = {"seen": seen_on(clash.text), "examiner": "0", **dict(checked)}
    assert phone.post(place, data=again).status_code == 302
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert {one.skill_id: one.passed for one in attempt.skills} == {first: False, second: True}


def test_a_result_that_came_after_closing_is_shown_filled_in_and_taken_in_with_a_reason(
    phone, address, offering, enrolment, db
):
    recording.record(db, happening(enrolment), now=clock.now())
    closing.close(db, roster.load_session(db, offering.sessions[0].id, EVERYTHING), zone=ZONE, **CONFIRMED)
    skill = offering.course.skills[0]
    event = SkillInput(uuid4(), offering.sessions[0].id, enrolment.id, skill.id, True, clock.now())
    skill_results.record_all(
        db, [event], user_id=offering.lead_instructor.user_id, device_id=None, scope=EVERYTHING, now=clock.now()
    )
    db.commit()
    assert "结班后收到、尚待处理的考核结果" in phone.get(address).text
    place = f"{address}/{enrolment.id}"
    page = phone.get(place).text
    assert "结班后收到的考核结果" in page
    assert re.search(rf'id="skill-{skill.id}-p"[^>]*checked', page)
    saved = phone.post(
        place, data={"seen": seen_on(page), "examiner": "0", f"skill-{skill.id}": "passed", "reason": "手机没电"}
    )
    assert saved.status_code == 302
    assert skill_results.skill_states(db, offering.id)[enrolment.id] == {skill.id: True}
    assert "结班后收到、尚待处理的考核结果" not in phone.get(address).text
