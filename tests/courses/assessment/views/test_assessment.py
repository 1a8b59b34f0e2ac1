import pytest

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
