import re

import pytest
from sqlalchemy import select

from courses.assessment import assessment
from courses.models.assessment import RetestEvent
from lms.core.scope import Role


@pytest.fixture
def enrolment(make):
    return make.enrolment(make.offering(course=make.new_course(skills=2)), make.trainee("陈静"))


@pytest.fixture
def address(enrolment):
    return f"/offerings/{enrolment.offering_id}/assessment"


def test_the_list_shows_everybody_with_a_place(make, address, enrolment, sign_in):
    make.db.commit()
    page = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get(address)
    assert page.status_code == 200
    assert "陈静" in page.text
    assert f"{address}/{enrolment.id}" in page.text


def test_another_instructors_results_are_not_found(make, address, enrolment, sign_in, db):
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    browser = sign_in(stranger)
    assert browser.get(address).status_code == 404
    assert browser.get(f"{address}/{enrolment.id}").status_code == 404
    auditor = sign_in(make.user(Role.AUDITOR))
    assert auditor.get(address).status_code == 200
    assert auditor.post(f"{address}/{enrolment.id}").status_code == 403


def form_of(page):
    """The fields of the grid as the browser would send them unchanged."""
    fields = dict(re.findall(r'<input type="hidden" name="(seen-[0-9]+)" value="([^"]*)"', page.text))
    return {name: value.replace("&#34;", '"') for name, value in fields.items()} | {
        "examiner": "",
        "examiner-before": "",
    }


def test_the_whole_class_is_saved_in_one_form_and_failures_get_a_retest(make, address, enrolment, sign_in, db):
    other = make.enrolment(enrolment.offering, make.trainee("王芳"))
    make.db.commit()
    skills = [skill.id for skill in enrolment.offering.course.skills]
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    filled = form_of(browser.get(address)) | {f"theory-{enrolment.id}": "30", f"theory-{other.id}": "999"}
    filled |= {f"skill-{enrolment.id}-{skills[0]}": "passed", "fill": f"person-{other.id}"}
    refused = browser.post(address, data=filled)
    assert refused.status_code == 200  # what could be saved is saved
    assert 'value="999"' in refused.text
    assert refused.text.count("grid-why") == 1
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert (attempt.theory_score, [result.passed for result in attempt.skills]) == (30, [True])
    assert [result.passed for result in assessment.attempts_of(db, other.id)[0].skills] == [True, True]
    page = browser.get(address)
    again = form_of(page) | {f"theory-{enrolment.id}": "30", f"skill-{enrolment.id}-{skills[0]}": "passed"}
    again |= {f"skill-{other.id}-{skill}": "passed" for skill in skills}
    assert browser.post(address, data=again | {"retest": "failed"}).status_code == 302
    assert browser.post(address, data=again | {"retest": str(enrolment.id)}).status_code in {302, 422}
    assert [event.enrolment_id for event in db.scalars(select(RetestEvent))].count(enrolment.id) <= 2
    assert [attempt.attempt for attempt in assessment.attempts_of(db, enrolment.id)] == [1, 2]
    assert len(assessment.attempts_of(db, other.id)) == 1
