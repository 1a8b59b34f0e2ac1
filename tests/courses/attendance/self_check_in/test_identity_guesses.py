"""Guessing who is in a class: stopped over all claims, while those who know their own name go on."""

from courses.attendance.self_check_in import identity_guesses
from lms.core import clock
from lms.core.errors import DomainError
from tests.courses.attendance.self_check_in.steps import claimed, code_at

HERE = "203.0.113.5"


def guesses_that_pass(reserve, tries):
    passed = 0
    for number in range(tries):
        try:
            reserve(number)
        except DomainError:
            continue
        passed += 1
    return passed


def test_new_scans_give_a_browser_no_more_guesses(app, db, meeting):
    passed = guesses_that_pass(
        lambda number: identity_guesses.reserve(claimed(db, meeting, browser="same"), f"学员{number}", HERE), 40
    )
    assert passed == identity_guesses.PER_BROWSER.amount


def test_one_name_is_not_guessed_by_throwing_cookies_away(app, db, meeting):
    passed = guesses_that_pass(
        lambda number: identity_guesses.reserve(claimed(db, meeting), "王小明", f"203.0.113.{number}"), 30
    )
    assert passed == identity_guesses.PER_NAME.amount


def test_one_address_does_not_try_the_names_of_a_class(app, db, meeting):
    passed = guesses_that_pass(
        lambda number: identity_guesses.reserve(claimed(db, meeting), f"学员{number}", HERE), 400
    )
    assert passed == identity_guesses.PER_ADDRESS.amount


def test_whoever_is_refused_goes_on_with_the_name_alone(app, db, make, offering, meeting):
    make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    db.commit()
    for number in range(12):
        browser = app.test_client()
        browser.get(f"/s/{meeting.id}/{code_at(db, meeting, clock.now())}")
        answer = browser.post("/check-in", data={"name": "王小明", "tail": f"{number:04d}"})
    assert answer.status_code == 422
    assert browser.post("/check-in/unlisted", data={"name": "王小明"}).location == "/check-in/done"
